"""What is served but not stored, over HTTP.

- ``dispatch``     which view a path means, and who answers
- ``selection``    which stored objects a request for a view means
- ``pods``         assignments as pods: the generic verbs, in the words of pods
- ``pod_log``      ``pods/log`` on the log of the assignment
- ``pod_metrics``  ``kubectl top pod``, from what agents report
- ``reviews``      self reviews
"""
