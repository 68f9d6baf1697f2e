"""The HTTP edge: checks what comes in, hands changes and runs to the log, and answers from the read models."""
