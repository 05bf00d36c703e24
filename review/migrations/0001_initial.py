import datetime
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("inference", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("event_id", models.UUIDField()),
                ("digest", models.CharField(max_length=64)),
                ("captured_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("clock_skewed", models.BooleanField(default=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unsure", "unsure"),
                            ("flagged", "flagged"),
                            ("sample", "sample"),
                            ("report", "report"),
                        ],
                        max_length=10,
                    ),
                ),
                ("camera_name", models.CharField(blank=True, max_length=100)),
                ("model_name", models.CharField(blank=True, max_length=100)),
                ("model_version_name", models.CharField(blank=True, max_length=60)),
                ("model_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "task",
                    models.CharField(
                        choices=[
                            ("classification", "classification"),
                            ("detection", "detection"),
                            ("segmentation", "segmentation"),
                        ],
                        max_length=20,
                    ),
                ),
                ("frame_width_px", models.PositiveIntegerField()),
                ("frame_height_px", models.PositiveIntegerField()),
                ("reporting_floor", models.FloatField(null=True)),
                ("thresholds", models.JSONField(default=dict)),
                ("predictions", models.JSONField(default=list)),
                ("subject", models.JSONField(default=list)),
                ("top_class", models.CharField(blank=True, max_length=100)),
                ("top_confidence", models.FloatField(null=True)),
                ("flags", models.JSONField(default=list)),
                ("rule", models.CharField(blank=True, max_length=100)),
                ("sampling_probability", models.FloatField(null=True)),
                ("action", models.JSONField(null=True)),
                ("stamps", models.JSONField(default=dict)),
                ("latency_ms", models.JSONField(default=dict)),
                ("context", models.JSONField(default=dict)),
                ("historical", models.BooleanField(default=False)),
                (
                    "camera",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="inference.camera",
                    ),
                ),
                (
                    "model_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="inference.modelversion",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="inference.site"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="inference.source"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["site", "-received_at", "-id"], name="event_newest"),
                    models.Index(fields=["camera", "captured_at"], name="event_of_camera"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "event_id"), name="event_once_per_source"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["unsure", "flagged", "sample", "report"])),
                        name="event_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("task__in", ["classification", "detection", "segmentation"])),
                        name="event_task_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("content_type", models.CharField(max_length=40)),
                ("size", models.PositiveBigIntegerField()),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("stored", "stored"), ("damaged", "damaged")], default="stored", max_length=10
                    ),
                ),
                ("damage", models.CharField(blank=True, max_length=200)),
                ("colour", models.CharField(blank=True, max_length=7)),
                ("stored_at", models.DateTimeField()),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="evidence", to="inference.site"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
                "constraints": [
                    models.UniqueConstraint(fields=("site", "sha256"), name="evidence_once_per_site"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["stored", "damaged"])), name="evidence_state_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EventEvidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=60)),
                ("role", models.CharField(max_length=10)),
                ("sha256", models.CharField(max_length=64)),
                ("content_type", models.CharField(max_length=40)),
                ("offset_x_px", models.FloatField(default=0)),
                ("offset_y_px", models.FloatField(default=0)),
                ("scale", models.FloatField(default=1)),
                ("level", models.PositiveSmallIntegerField(default=6)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="evidence_rows", to="review.event"
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="event_rows",
                        to="review.evidence",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "indexes": [models.Index(fields=["sha256"], name="event_evidence_digest")],
                "constraints": [models.UniqueConstraint(fields=("event", "name"), name="evidence_name_per_event")],
            },
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("decided", "decided"), ("withdrawn", "withdrawn")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("priority", models.PositiveSmallIntegerField(default=3)),
                ("due_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("reason", models.JSONField(default=dict)),
                ("sampling_probability", models.FloatField(null=True)),
                ("claim_id", models.UUIDField(null=True)),
                ("claim_expires_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("confirmed", "confirmed"),
                            ("corrected", "corrected"),
                            ("empty", "nothing here"),
                            ("unsure", "unsure"),
                            ("bad_image", "bad image"),
                            ("disputed", "disputed"),
                            ("withdrawn", "withdrawn"),
                            ("lapsed", "lapsed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("verdict_id", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "claimed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="review.event"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="inference.site"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("event",), name="item_one_open_per_event"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "decided", "withdrawn"])), name="item_state_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("outcome", ""), ("state", "open"), ("verdict_id", None)),
                            models.Q(
                                models.Q(("state", "open"), _negated=True),
                                ("decided_at__isnull", False),
                                (
                                    "outcome__in",
                                    [
                                        "confirmed",
                                        "corrected",
                                        "empty",
                                        "unsure",
                                        "bad_image",
                                        "disputed",
                                        "withdrawn",
                                        "lapsed",
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="item_closed_has_its_outcome",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claim_expires_at", None), ("claim_id", None), ("claimed_by", None)),
                            models.Q(
                                ("claim_expires_at__isnull", False),
                                ("claim_id__isnull", False),
                                ("claimed_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="item_claim_is_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("token", models.UUIDField(default=uuid.uuid4)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ended",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("answered", "answered"),
                            ("released", "given back"),
                            ("expired", "expired"),
                            ("moved", "moved on"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="claims", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="claims", to="review.item"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("item",), name="claim_one_live_per_item"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended", ""), ("ended_at", None)),
                            models.Q(
                                ("ended__in", ["answered", "released", "expired", "moved"]), ("ended_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="claim_ended_says_how",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Parking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("camera", "unknown camera"),
                            ("model", "unknown model version"),
                            ("class", "unknown class"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=200)),
                ("parked_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parkings", to="review.event"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inference.site"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at", None)),
                        fields=["site", "cause", "value"],
                        name="parking_inbox",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["camera", "model", "class"])), name="parking_cause_is_known"
                    ),
                    models.UniqueConstraint(fields=("event", "cause", "value"), name="parked_once_per_cause"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "draft"), ("shadow", "shadow"), ("live", "live"), ("retired", "retired")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("live_at", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="policies", to="inference.site"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
                "constraints": [
                    models.UniqueConstraint(fields=("site", "version"), name="policy_version_per_site"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "live")), fields=("site",), name="policy_one_live"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "shadow", "live", "retired"])),
                        name="policy_state_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Queue",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("slug", models.SlugField(max_length=60)),
                ("name", models.CharField(max_length=120)),
                ("guide", models.TextField(blank=True)),
                ("due_in", models.DurationField(default=datetime.timedelta(seconds=14400))),
                ("undo_window", models.DurationField(default=datetime.timedelta(seconds=8))),
                (
                    "asks_complete",
                    models.BooleanField(
                        default=True,
                        help_text="Whether answers say if the whole frame was judged, or only what was doubtful.",
                        verbose_name='ask "is everything marked?"',
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="queues", to="inference.site"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "permissions": [
                    ("see_events", "see events"),
                    ("review_items", "review items"),
                    ("manage_queues", "manage queues"),
                    ("manage_taxonomy", "manage taxonomy"),
                    ("grant_operator", "grant operator"),
                    ("grant_all", "grant all"),
                    ("see_releases", "see releases"),
                    ("make_releases", "make releases"),
                    ("see_manifests", "see manifests"),
                    ("see_sources", "see sources"),
                    ("manage_sources", "manage sources"),
                    ("audit_site", "audit site"),
                    ("audit_releases", "audit releases"),
                    ("audit_devices", "audit devices"),
                ],
                "constraints": [models.UniqueConstraint(fields=("site", "slug"), name="queue_slug_per_site")],
            },
        ),
        migrations.AddField(
            model_name="item",
            name="queue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="items", to="review.queue"
            ),
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("name", models.CharField(blank=True, max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("frozen", "frozen, waiting to be built"),
                            ("building", "building"),
                            ("verifying", "verifying"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                        ],
                        default="frozen",
                        max_length=10,
                    ),
                ),
                ("recipe", models.JSONField()),
                ("summary", models.JSONField(default=dict)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("touched_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="inference.site"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "number"), name="release_number_per_site"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["frozen", "building", "verifying", "ready", "failed"])),
                        name="release_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ready"), _negated=True), ("ready_at__isnull", False), _connector="OR"
                        ),
                        name="release_ready_has_ready_at",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReleaseFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="review.release"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("release", "name"), name="release_file_name")],
            },
        ),
        migrations.CreateModel(
            name="Rendition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("thumbnail", "thumbnail"), ("working", "working copy")], max_length=10),
                ),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField()),
                (
                    "evidence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="renditions", to="review.evidence"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("evidence", "kind"), name="rendition_once_per_kind")],
            },
        ),
        migrations.CreateModel(
            name="Routing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule_key", models.UUIDField(null=True)),
                ("rule_name", models.CharField(blank=True, max_length=120)),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("passed", "passed"),
                            ("not_sampled", "not in the sample"),
                            ("unmatched", "no rule matched"),
                            ("no_policy", "the site has no live policy"),
                        ],
                        max_length=12,
                    ),
                ),
                ("probability", models.FloatField(null=True)),
                ("routed_at", models.DateTimeField()),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="routings", to="review.event"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.policy"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decision__in", ["queued", "passed", "not_sampled", "unmatched", "no_policy"])
                        ),
                        name="routing_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("key", models.UUIDField(default=uuid.uuid4)),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=120)),
                ("explanation", models.CharField(blank=True, max_length=200)),
                ("kinds", models.JSONField(blank=True, default=list)),
                ("cameras", models.JSONField(blank=True, default=list)),
                ("classes", models.JSONField(blank=True, default=list)),
                ("flags", models.JSONField(blank=True, default=list)),
                ("low", models.FloatField(blank=True, null=True)),
                ("high", models.FloatField(blank=True, null=True)),
                ("bands", models.JSONField(blank=True, default=dict)),
                ("priority", models.PositiveSmallIntegerField(default=3)),
                ("due_in", models.DurationField(blank=True, null=True)),
                ("sampling_rate", models.FloatField(default=1.0)),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rules", to="review.policy"
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="review.queue",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("policy", "position"), name="rule_position_per_policy"),
                    models.UniqueConstraint(fields=("policy", "key"), name="rule_key_per_policy"),
                    models.CheckConstraint(
                        condition=models.Q(("sampling_rate__gte", 0), ("sampling_rate__lte", 1)),
                        name="rule_sampling_rate_is_a_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__gte", 1), ("priority__lte", 5)), name="rule_priority_1_to_5"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("low", None),
                            ("high", None),
                            models.Q(("high__lte", 1), ("low__gte", 0), ("low__lte", models.F("high"))),
                            _connector="OR",
                        ),
                        name="rule_band_is_a_band",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Skip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("until", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="skips", to="review.item"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("item", "person"), name="skip_once_per_person")],
            },
        ),
        migrations.CreateModel(
            name="Taxonomy",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("slug", models.SlugField(max_length=60)),
                ("name", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="taxonomies", to="inference.site"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "taxonomies",
                "constraints": [models.UniqueConstraint(fields=("site", "slug"), name="taxonomy_slug_per_site")],
            },
        ),
        migrations.CreateModel(
            name="SplitPin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "split",
                    models.CharField(
                        choices=[("train", "train"), ("val", "validation"), ("test", "test")], max_length=5
                    ),
                ),
                ("group", models.CharField(max_length=64)),
                (
                    "taxonomy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.taxonomy"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("taxonomy", "sha256"), name="split_pin_once")],
            },
        ),
        migrations.AddField(
            model_name="release",
            name="taxonomy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="review.taxonomy"
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="taxonomy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="queues", to="review.taxonomy"
            ),
        ),
        migrations.CreateModel(
            name="TaxonomyClass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("key", models.CharField(blank=True, max_length=1)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "taxonomy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="classes", to="review.taxonomy"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "taxonomy classes",
                "ordering": ["index"],
                "constraints": [
                    models.UniqueConstraint(fields=("taxonomy", "index"), name="class_index_is_permanent"),
                    models.UniqueConstraint(fields=("taxonomy", "name"), name="class_name_per_taxonomy"),
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        fields=("taxonomy", "key"),
                        name="class_key_per_taxonomy",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Verdict",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("key", models.UUIDField()),
                ("digest", models.CharField(max_length=64)),
                ("item_version", models.PositiveIntegerField()),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("confirm", "confirm"),
                            ("correct", "correct"),
                            ("empty", "nothing here"),
                            ("unsure", "unsure"),
                            ("bad_image", "bad image"),
                        ],
                        max_length=10,
                    ),
                ),
                ("labels", models.JSONField(default=list)),
                ("complete", models.BooleanField(null=True)),
                ("note", models.TextField(blank=True)),
                ("seconds", models.FloatField(null=True)),
                ("created_at", models.DateTimeField()),
                ("final_at", models.DateTimeField()),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="verdicts", to="review.claim"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="verdicts", to="review.item"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verdicts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["final_at"], name="verdict_final"),
                    models.Index(fields=["person", "-created_at"], name="verdict_of_person"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("person", "key"), name="verdict_once_per_key"),
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["confirm", "correct", "empty", "unsure", "bad_image"])),
                        name="verdict_answer_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer__in", ["confirm", "correct"]), _negated=True),
                            ("complete__isnull", False),
                            _connector="OR",
                        ),
                        name="verdict_says_if_complete",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SequencedOutcome",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sequenced_at", models.DateTimeField()),
                (
                    "verdict",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sequenced", to="review.verdict"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Retraction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "verdict",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="retraction", to="review.verdict"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReleaseRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("group", models.CharField(max_length=64)),
                (
                    "split",
                    models.CharField(
                        choices=[("train", "train"), ("val", "validation"), ("test", "test")], max_length=5
                    ),
                ),
                ("content", models.JSONField()),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="release_rows", to="review.event"
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.evidence"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.item"),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rows", to="review.release"
                    ),
                ),
                (
                    "verdict",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.verdict"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("release", "position"), name="release_row_position"),
                    models.UniqueConstraint(fields=("release", "evidence"), name="release_one_picture_per_digest"),
                    models.CheckConstraint(
                        condition=models.Q(("split__in", ["train", "val", "test"])), name="release_row_split_is_known"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("state", "open")),
                fields=["queue", "priority", "due_at", "created_at", "id"],
                name="item_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(condition=models.Q(("state", "open")), fields=["queue", "due_at"], name="item_due"),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(fields=["queue", "created_at"], name="item_arrivals"),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("state", "decided")), fields=["queue", "decided_at"], name="item_decided"
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("claimed_by__isnull", False), ("state", "open")),
                fields=["queue", "claimed_by"],
                name="item_claimed",
            ),
        ),
    ]
