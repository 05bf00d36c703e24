import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "__first__"),
        ("inference", "0002_rights_to_originals_and_openings"),
        ("review", "0009_clips_have_a_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="UploadJob",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("receiving", "receiving files"),
                            ("checking", "checking"),
                            ("running", "making events"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="receiving",
                        max_length=10,
                    ),
                ),
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
                ("model_name", models.CharField(blank=True, max_length=100)),
                ("model_version_name", models.CharField(blank=True, max_length=60)),
                ("reporting_floor", models.FloatField(null=True)),
                ("confidence", models.FloatField(null=True)),
                ("empty_without_file", models.BooleanField(default=False)),
                ("classes", models.JSONField(blank=True, default=list)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("touched_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("turn", models.PositiveIntegerField(default=0)),
                (
                    "camera",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inference.camera"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="upload_jobs", to="inference.site"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inference.source"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["site", "-created_at"], name="upload_newest"),
                    models.Index(condition=models.Q(("finished_at", None)), fields=["touched_at"], name="upload_open"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["receiving", "checking", "running", "done", "failed", "cancelled"])
                        ),
                        name="upload_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", False), ("state__in", ["done", "failed", "cancelled"])),
                            models.Q(("finished_at", None), ("state__in", ["receiving", "checking", "running"])),
                            _connector="OR",
                        ),
                        name="upload_over_has_finished_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "report"), ("model_name", ""), ("model_version_name", "")),
                            models.Q(
                                models.Q(("model_name", ""), _negated=True),
                                models.Q(("model_version_name", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="upload_has_a_model_or_is_a_report",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["unsure", "flagged", "sample", "report"])),
                        name="upload_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("task__in", ["classification", "detection", "segmentation"])),
                        name="upload_task_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UploadFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("member", models.PositiveIntegerField(null=True)),
                ("name", models.CharField(max_length=200)),
                ("stem", models.CharField(max_length=200)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("picture", "picture"),
                            ("predictions", "predictions"),
                            ("classes", "class names"),
                            ("archive", "archive"),
                            ("other", "other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("written_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("taken", "taken"), ("left_out", "left out")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("detail", models.CharField(blank=True, max_length=600)),
                ("predictions", models.JSONField(null=True)),
                ("staged", models.BooleanField(default=False)),
                (
                    "archive",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="review.uploadfile",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="review.event"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="review.uploadjob"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["job", "role", "state", "id"], name="upload_to_do"),
                    models.Index(fields=["job", "role", "stem"], name="upload_by_stem"),
                    models.Index(condition=models.Q(("staged", True)), fields=["job"], name="upload_staged"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("archive", None)), fields=("job", "name", "sha256"), name="upload_file_once"
                    ),
                    models.UniqueConstraint(fields=("archive", "member"), name="upload_member_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["picture", "predictions", "classes", "archive", "other"])),
                        name="upload_role_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "taken", "left_out"])),
                        name="upload_file_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "left_out"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="upload_left_out_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("archive", None), ("member", None)),
                            models.Q(("archive__isnull", False), ("member__isnull", False), ("staged", False)),
                            _connector="OR",
                        ),
                        name="upload_member_is_in_its_archive",
                    ),
                ],
            },
        ),
    ]
