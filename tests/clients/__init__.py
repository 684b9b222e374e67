"""The released Kubernetes client libraries for Python, and an operator written in kopf, against a real server.

Nothing here knows the server's code: a program that somebody wrote for Kubernetes does the same.
"""
