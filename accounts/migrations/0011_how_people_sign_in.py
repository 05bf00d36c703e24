import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_the_log_that_is_sealed"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupMapping",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("issuer", models.CharField(max_length=300)),
                ("group", models.CharField(max_length=255)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("operator", "Operator"),
                            ("supervisor", "Supervisor"),
                            ("ml_engineer", "ML engineer"),
                            ("fleet_engineer", "Fleet engineer"),
                            ("auditor", "Auditor"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "scope_type",
                    models.CharField(
                        choices=[("everywhere", "everywhere"), ("site", "a site"), ("queue", "a queue")], max_length=10
                    ),
                ),
                ("scope_id", models.UUIDField(blank=True, null=True)),
                ("reason", models.CharField(max_length=300)),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("issuer", models.CharField(max_length=300)),
                ("subject", models.CharField(max_length=255)),
                ("groups", models.JSONField(default=list)),
                ("linked_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "identities",
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=150)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("operator", "Operator"),
                            ("supervisor", "Supervisor"),
                            ("ml_engineer", "ML engineer"),
                            ("fleet_engineer", "Fleet engineer"),
                            ("auditor", "Auditor"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "scope_type",
                    models.CharField(
                        blank=True,
                        choices=[("everywhere", "everywhere"), ("site", "a site"), ("queue", "a queue")],
                        max_length=10,
                    ),
                ),
                ("scope_id", models.UUIDField(blank=True, null=True)),
                ("is_reset", models.BooleanField(default=False)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SignInRule",
            fields=[
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("operator", "Operator"),
                            ("supervisor", "Supervisor"),
                            ("ml_engineer", "ML engineer"),
                            ("fleet_engineer", "Fleet engineer"),
                            ("auditor", "Auditor"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("mfa_required", models.BooleanField(default=False)),
            ],
        ),
        migrations.AddField(
            model_name="grant",
            name="origin",
            field=models.CharField(
                choices=[("person", "a person"), ("sso", "single sign-on")], default="person", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="needs_factor",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["person", "sso"])), name="grant_origin_is_known"
            ),
        ),
        migrations.AddField(
            model_name="groupmapping",
            name="made_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="identity",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="identities", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="made_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="signinrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["operator", "supervisor", "ml_engineer", "fleet_engineer", "auditor", "administrator"],
                    )
                ),
                name="sign_in_rule_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupmapping",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["operator", "supervisor", "ml_engineer", "fleet_engineer", "auditor", "administrator"],
                    )
                ),
                name="group_mapping_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupmapping",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope_id", None), ("scope_type", "everywhere")),
                    models.Q(("scope_id__isnull", False), ("scope_type__in", ["site", "queue"])),
                    _connector="OR",
                ),
                name="group_mapping_scope_has_its_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupmapping",
            constraint=models.UniqueConstraint(
                condition=models.Q(("scope_id__isnull", False)),
                fields=("issuer", "group", "role", "scope_type", "scope_id"),
                name="group_mapping_once_per_scope",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupmapping",
            constraint=models.UniqueConstraint(
                condition=models.Q(("scope_type", "everywhere")),
                fields=("issuer", "group", "role"),
                name="group_mapping_once_everywhere",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(fields=("issuer", "subject"), name="identity_once"),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["-made_at"], name="invitation_newest"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_reset", True), ("person__isnull", False), ("role", "")),
                    models.Q(
                        ("is_reset", False),
                        (
                            "role__in",
                            ["operator", "supervisor", "ml_engineer", "fleet_engineer", "auditor", "administrator"],
                        ),
                        ("scope_type__in", ["everywhere", "site", "queue"]),
                    ),
                    _connector="OR",
                ),
                name="invitation_is_for_a_role_or_a_reset",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("used_at", None), models.Q(("person__isnull", False), ("used_at__isnull", False)), _connector="OR"
                ),
                name="invitation_used_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("made_at"))), name="invitation_ends_after_it_was_made"
            ),
        ),
    ]
