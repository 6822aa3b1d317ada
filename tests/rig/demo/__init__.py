"""`make demo`: one small program before and after splicing, as the traces Langfuse shows."""
