"""Features of regions: encoders that turn pixels into numbers, and the store that keeps them.

Decides which encoders exist by name. Refuses to know slides, studies and models.
"""

from learning.features.catalogue import ENCODERS, get_encoder
from learning.features.encoder import Encoder
from learning.features.store import ShardError, open_shard, write_shard

__all__ = ["ENCODERS", "Encoder", "ShardError", "get_encoder", "open_shard", "write_shard"]
