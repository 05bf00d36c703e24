"""The Frigate connector: what a Frigate NVR tracked and is not sure of becomes events, each with its picture.

```
broker thread                           picture thread                           uplink thread
frigate/events -> rules -> inbox, ack -> snapshot over HTTP -> outbox (durable) -> POST /api/v1/events
Frigate's list of events -> rules -/
```
A message is acknowledged to the broker once the inbox has it on disk. Inbox and outbox are one database, so a tracked
object leaves the one and enters the other in the same transaction. `docs/frigate.md` explains the configuration.
"""
