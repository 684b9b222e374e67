"""``/v1``, the API of the original Plum: thin views over the same objects, for clients that cannot change.

Each handler reads or writes objects through the registry and shapes the reply; there is no second store and no rule
of its own. What a row of the contract says stands in ``operations``; the router, the OpenAPI document and the Swagger
page are made from it.

- ``operations``       the table of endpoints: path, method, what comes in, what goes out
- ``router``           a request to its handler, errors to a line of text
- ``calls``            what a handler is given; JSON in, JSON out
- ``parts``            what the handlers are made of
- ``shapes``           the bodies, as models and types
- ``names``            ids of tasks and instances, times
- ``projections``      what is kept of an object so that it is not parsed for each reply
- ``views``, ``uploads``, ``directory``   assignments and tasks, apps, endpoints as they are shown and looked up
- ``nodes``, ``apps``, ``tasks``, ``assignments``, ``services``, ``discovery``, ``stream``   the handlers
- ``replicas``         how many copies a task's entries have, there and back
- ``openapi``          the document that describes all this, and the Swagger page
"""
