"""The Python client of Second Look: builds events, posts them, and does not lose them on the way.

```python
from inference.client import Client

client = Client("https://desk.example", token="sls_...")
client.post("frame.jpg", model=("my-model", "1.0"), predictions=[("person", 0.42, [412, 120, 88, 210])])
```
Needs httpx, OpenCV and NumPy; no Django. What a library calls its results is turned into predictions by
`inference.client.adapters`.
"""

from inference.client.client import Client, Posted
from inference.client.exceptions import BadInput, ClientError, Refused, Unreachable
from inference.client.prediction import Prediction

__all__ = ["BadInput", "Client", "ClientError", "Posted", "Prediction", "Refused", "Unreachable"]
