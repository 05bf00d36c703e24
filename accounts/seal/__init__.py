"""The sealed log: what happened, as leaves of a Merkle tree that only grows (docs/seal.md).

`state()` is what pages show, `proof_of(row)` what exports carry.
"""

from accounts.seal.proof import Proof, proof_of
from accounts.seal.standing import SealState, state

__all__ = ["Proof", "SealState", "proof_of", "state"]
