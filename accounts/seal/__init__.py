"""The sealed log: what happened, as leaves of a Merkle tree that only grows (docs/seal.md)."""
