"""Background work. State lives in domain rows; every task may run twice."""
