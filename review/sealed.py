"""The rows of the desk that the sealed log holds: events with what they announced as evidence, verdicts, undos."""

from accounts.seal.kinds import Kind, Parts, register

EVENT = Kind(
    name="event",
    model="review.Event",
    told_at="received_at",
    layouts={
        1: (
            "id",
            "site_id",
            "source_id",
            "event_id",
            "digest",
            "captured_at",
            "received_at",
            "clock_skewed",
            "kind",
            "camera_id",
            "camera_name",
            "model_version_id",
            "model_name",
            "model_version_name",
            "model_sha256",
            "task",
            "frame_width_px",
            "frame_height_px",
            "reporting_floor",
            "thresholds",
            "predictions",
            "subject",
            "top_class",
            "top_confidence",
            "flags",
            "rule",
            "sampling_probability",
            "action",
            "stamps",
            "latency_ms",
            "context",
            "historical",
        )
    },
    # All but `evidence_id`, which is set when the bytes arrive.
    parts=Parts(
        name="evidence",
        model="review.EventEvidence",
        parent="event_id",
        order="position",
        columns=(
            "position",
            "name",
            "role",
            "sha256",
            "content_type",
            "offset_x_px",
            "offset_y_px",
            "scale",
            "level",
        ),
    ),
)
VERDICT = Kind(
    name="verdict",
    model="review.Verdict",
    told_at="created_at",
    layouts={
        1: (
            "id",
            "item_id",
            "person_id",
            "claim_id",
            "key",
            "digest",
            "item_version",
            "answer",
            "labels",
            "complete",
            "note",
            "seconds",
            "created_at",
            "final_at",
        )
    },
)
RETRACTION = Kind(
    name="retraction",
    model="review.Retraction",
    told_at="created_at",
    layouts={1: ("id", "verdict_id", "person_id", "created_at")},
)
REOPENING = Kind(
    name="reopening",
    model="review.Reopening",
    told_at="created_at",
    layouts={1: ("id", "verdict_id", "person_id", "reason", "created_at")},
)


def register_kinds() -> None:
    """The receiver of the app's start."""
    for kind in (EVENT, VERDICT, RETRACTION, REOPENING):
        register(kind)
