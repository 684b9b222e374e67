"""What is served but not stored: made of other objects, or the answer to a question. Pure.

- ``registry``     the register of views, beside that of stored kinds
- ``pods``         the assignments as core ``v1`` pods; ``pod_model``: what those look like; ``pod_states``: phases and
  conditions; ``pod_table``: what ``kubectl get pods`` shows
- ``pod_metrics``  what instances use, as ``metrics.k8s.io`` says it
- ``reviews``      who am I, and what may I do

Like ``kinds``, importing this package registers them all.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
