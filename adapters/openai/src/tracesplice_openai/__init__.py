"""tracesplice adapter for the OpenAI Python SDK; its hooks are in ``_plugin``."""
