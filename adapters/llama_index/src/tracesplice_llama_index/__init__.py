"""tracesplice adapter for LlamaIndex; its hooks are in ``_plugin``."""
