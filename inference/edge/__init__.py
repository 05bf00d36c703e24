"""The device agent: capture, infer, rules, action, event. Knows `inference.vision` and nothing else of Second Look."""
