"""Serving: a model over HTTP, between the serve gate and the release gate.

`app.create_app(runtime)` is the service, `engine/` what generates, `release` what lets text out and
`outputs` what keeps a record of every call. Importing this package loads no framework.
"""
