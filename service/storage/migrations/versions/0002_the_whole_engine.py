"""The whole engine"""

import sqlalchemy as sa
from alembic import op

from service.storage.portable import IdType, InstantType

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_change",
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", IdType(), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", name=op.f("pk_access_change")),
    )
    op.create_index("ix_access_change_at", "access_change", ["at"], unique=False)
    op.create_table(
        "authorization_code",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client_id", IdType(), nullable=False),
        sa.Column("staff_id", IdType(), nullable=False),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("challenge", sa.String(length=43), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("nonce", sa.String(length=200), nullable=True),
        sa.Column("expires_at", InstantType(), nullable=False),
        sa.Column("used_at", InstantType(), nullable=True),
        sa.Column("family_id", IdType(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_code")),
    )
    op.create_index("ix_authorization_code_expires_at", "authorization_code", ["expires_at"], unique=False)
    op.create_table(
        "heartbeat",
        sa.Column("replica_id", IdType(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("replica_id", "kind", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", InstantType(), nullable=False),
        sa.Column("known_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_last_at", "sign_in_attempt", ["last_at"], unique=False)
    op.create_table(
        "staff_identity",
        sa.Column("staff_id", IdType(), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("claims_at", InstantType(), nullable=False),
        sa.Column("signed_out_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_staff_identity_issuer_subject")),
    )
    op.create_table(
        "staff_totp",
        sa.Column("staff_id", IdType(), nullable=False),
        sa.Column("secret", sa.String(length=300), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("confirmed_at", InstantType(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("recovery_hashes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_totp")),
    )
    op.create_table(
        "token_family",
        sa.Column("id", IdType(), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", IdType(), nullable=False),
        sa.Column("bound", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("current_hash", sa.String(length=64), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("rotated_at", InstantType(), nullable=True),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("expires_at", InstantType(), nullable=False),
        sa.Column("ends_at", InstantType(), nullable=False),
        sa.Column("revoked_at", InstantType(), nullable=True),
        sa.CheckConstraint(
            "subject_kind IN ('staff', 'client', 'patient', 'carer')", name=op.f("ck_token_family_subject_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_family")),
    )
    op.create_index("ix_token_family_subject", "token_family", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "used_assertion",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("until", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_assertion")),
    )
    op.create_index("ix_used_assertion_until", "used_assertion", ["until"], unique=False)
    op.create_table(
        "ward_watch",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.PrimaryKeyConstraint("ward_id", name=op.f("pk_ward_watch")),
    )
    op.create_table(
        "work_lease",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("until", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("ward_id", "kind", name=op.f("pk_work_lease")),
    )
    op.create_table(
        "coverage",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("service_hours", sa.JSON(), nullable=False),
        sa.Column("on_duty", sa.JSON(), nullable=False),
        sa.Column("author_id", IdType(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_coverage_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "version", name=op.f("pk_coverage")),
    )
    op.create_table(
        "escalation_policy",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("out_of_hours_email", sa.String(length=254), nullable=True),
        sa.Column("author_id", IdType(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_escalation_policy_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "version", name=op.f("pk_escalation_policy")),
    )
    op.create_table(
        "rule_set",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("author_id", IdType(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("approved_by", IdType(), nullable=True),
        sa.Column("approved_at", InstantType(), nullable=True),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_rule_set_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "number", name=op.f("pk_rule_set")),
    )
    op.create_table(
        "shadow_count",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rule_id", sa.String(length=8), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("shadow", sa.Integer(), nullable=False),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_shadow_count_severity")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_shadow_count_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "number", "day", "rule_id", "severity", name=op.f("pk_shadow_count")),
    )
    op.create_table(
        "transfer",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("from_ward_id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("proposed_at", InstantType(), nullable=False),
        sa.Column("proposed_by", IdType(), nullable=False),
        sa.Column("proposer_kind", sa.String(length=20), nullable=False),
        sa.Column("decided_at", InstantType(), nullable=True),
        sa.Column("decided_by", IdType(), nullable=True),
        sa.Column("new_stay_id", IdType(), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'accepted', 'declined')", name=op.f("ck_transfer_status")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_transfer_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_transfer")),
    )
    op.create_index(
        "uq_transfer_one_pending",
        "transfer",
        ["ward_id", "stay_id"],
        unique=True,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "carer",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("patient_id", IdType(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("relationship", sa.String(length=60), nullable=True),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("removed_at", InstantType(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ward_id", "patient_id"], ["patient.ward_id", "patient.id"], name=op.f("fk_carer_ward_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_carer")),
    )
    op.create_index("ix_carer_patient_id", "carer", ["ward_id", "patient_id"], unique=False)
    op.create_table(
        "erasure",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("patient_id", IdType(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("proposed_at", InstantType(), nullable=False),
        sa.Column("proposed_by", IdType(), nullable=False),
        sa.Column("decided_at", InstantType(), nullable=True),
        sa.Column("decided_by", IdType(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('request_granted', 'registered_in_error', 'unlawful_processing', 'court_order')",
            name=op.f("ck_erasure_reason"),
        ),
        sa.CheckConstraint("status IN ('proposed', 'withdrawn', 'carried_out')", name=op.f("ck_erasure_status")),
        sa.ForeignKeyConstraint(
            ["ward_id", "patient_id"], ["patient.ward_id", "patient.id"], name=op.f("fk_erasure_ward_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_patient_id", "erasure", ["ward_id", "patient_id"], unique=False)
    op.create_index(
        "uq_erasure_one_proposed",
        "erasure",
        ["ward_id", "patient_id"],
        unique=True,
        sqlite_where=sa.text("status = 'proposed'"),
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "access_incident",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("pairing_id", IdType(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("raised_at", InstantType(), nullable=True),
        sa.CheckConstraint("kind IN ('token_reused', 'token_expired')", name=op.f("ck_access_incident_kind")),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_access_incident_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_access_incident")),
    )
    op.create_index(
        "ix_access_incident_at",
        "access_incident",
        ["ward_id", "at"],
        unique=False,
        sqlite_where=sa.text("raised_at IS NULL"),
        postgresql_where=sa.text("raised_at IS NULL"),
    )
    op.create_table(
        "pairing",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("patient_id", IdType(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("carer_id", IdType(), nullable=True),
        sa.Column("code_id", IdType(), nullable=False),
        sa.Column("paired_at", InstantType(), nullable=False),
        sa.Column("ended_at", InstantType(), nullable=True),
        sa.Column("end_reason", sa.String(length=40), nullable=True),
        sa.CheckConstraint("kind IN ('patient', 'carer')", name=op.f("ck_pairing_kind")),
        sa.ForeignKeyConstraint(
            ["ward_id", "carer_id"], ["carer.ward_id", "carer.id"], name=op.f("fk_pairing_ward_id_carer_id")
        ),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_pairing_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_pairing")),
    )
    op.create_index("ix_pairing_stay_id", "pairing", ["ward_id", "stay_id"], unique=False)
    op.create_table(
        "pairing_code",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("patient_id", IdType(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("carer_id", IdType(), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("birth_date_hash", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("created_by", IdType(), nullable=False),
        sa.Column("expires_at", InstantType(), nullable=False),
        sa.Column("used_at", InstantType(), nullable=True),
        sa.Column("revoked_at", InstantType(), nullable=True),
        sa.CheckConstraint("kind IN ('patient', 'carer')", name=op.f("ck_pairing_code_kind")),
        sa.ForeignKeyConstraint(
            ["ward_id", "carer_id"], ["carer.ward_id", "carer.id"], name=op.f("fk_pairing_code_ward_id_carer_id")
        ),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_pairing_code_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_pairing_code")),
    )
    op.create_index("ix_pairing_code_code_hash", "pairing_code", ["code_hash"], unique=False)
    op.create_index("ix_pairing_code_stay_id", "pairing_code", ["ward_id", "stay_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("alert_id", IdType(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("recipient", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", InstantType(), nullable=False),
        sa.Column("ended_at", InstantType(), nullable=True),
        sa.Column("problem", sa.String(length=60), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'dead')", name=op.f("ck_notice_state")),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_notice_severity")),
        sa.ForeignKeyConstraint(
            ["ward_id", "alert_id"], ["alert.ward_id", "alert.id"], name=op.f("fk_notice_ward_id_alert_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_alert_id", "notice", ["ward_id", "alert_id"], unique=False)
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["ward_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.add_column("alert", sa.Column("limit_at", InstantType(), nullable=True))
    op.drop_index(op.f("ix_alert_stay"), table_name="alert")
    op.create_index(
        "ix_alert_closed",
        "alert",
        ["ward_id", sa.literal_column("severity DESC"), "taken", "respond_by", "id", "family", "channel"],
        unique=False,
        sqlite_where=sa.text("state = 'resolved'"),
        postgresql_where=sa.text("state = 'resolved'"),
    )
    op.create_index(
        "ix_alert_limit_at",
        "alert",
        ["ward_id", "limit_at"],
        unique=False,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_index(
        "ix_alert_of_stay",
        "alert",
        ["ward_id", "stay_id", "family", "opened_at"],
        unique=False,
        postgresql_where=sa.text("stay_id IS NOT NULL"),
    )
    op.add_column("audit", sa.Column("address", sa.String(length=64), nullable=True))
    op.add_column("audit", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("audit", sa.Column("seal", sa.String(length=80), nullable=True))
    op.create_index(
        "ix_audit_id",
        "audit",
        ["ward_id", "id"],
        unique=False,
        sqlite_where=sa.text("number IS NULL"),
        postgresql_where=sa.text("number IS NULL"),
    )
    op.create_index("ix_audit_subject_id", "audit", ["ward_id", "subject_id", "id"], unique=False)
    op.create_index("uq_audit_number", "audit", ["ward_id", "number"], unique=True)
    op.add_column("client", sa.Column("previous_secret_hash", sa.String(length=200), nullable=True))
    op.add_column("client", sa.Column("jwks", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("client", sa.Column("jwks_url", sa.String(length=500), nullable=True))
    op.add_column("client", sa.Column("redirect_uris", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("patient", sa.Column("erased_at", InstantType(), nullable=True))
    op.add_column("reading", sa.Column("answers", IdType(), nullable=True))
    op.add_column("reading", sa.Column("entered_in_error_at", InstantType(), nullable=True))
    op.add_column("reading", sa.Column("entered_in_error_by", IdType(), nullable=True))
    op.add_column("reading", sa.Column("entered_in_error_reason", sa.String(length=500), nullable=True))
    op.add_column("reading", sa.Column("copied_from", IdType(), nullable=True))
    op.drop_index(op.f("ix_reading_stay_id_observed_at"), table_name="reading")
    op.create_index(
        "ix_reading_of_stay",
        "reading",
        ["ward_id", "stay_id", "observed_at"],
        unique=False,
        postgresql_where=sa.text("stay_id IS NOT NULL"),
    )
    op.create_index(
        "ix_reading_received_at",
        "reading",
        ["ward_id", "received_at", "id"],
        unique=False,
        postgresql_where=sa.text("received_at IS NOT NULL"),
    )
    op.add_column("signing_key", sa.Column("signs_from", InstantType(), nullable=True))
    op.add_column("staff", sa.Column("set_password_hash", sa.String(length=64), nullable=True))
    op.add_column("staff", sa.Column("set_password_until", InstantType(), nullable=True))
    op.add_column("stay", sa.Column("due_at", InstantType(), nullable=True))
    op.add_column("stay", sa.Column("watch", sa.String(length=1000), nullable=True))
    op.create_index(
        "ix_stay_due_at",
        "stay",
        ["ward_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("status <> 'discharged'"),
        postgresql_where=sa.text("status <> 'discharged'"),
    )
    op.create_index(
        "ix_stay_patient_id",
        "stay",
        ["ward_id", "patient_id"],
        unique=False,
        postgresql_where=sa.text("patient_id IS NOT NULL"),
    )
    op.create_index(
        "ix_stay_paused_until",
        "stay",
        ["ward_id", "paused_until"],
        unique=False,
        sqlite_where=sa.text("status = 'paused'"),
        postgresql_where=sa.text("status = 'paused'"),
    )
    op.add_column("ward", sa.Column("rule_set_number", sa.Integer(), server_default="0", nullable=False))
    op.add_column("ward", sa.Column("shadow_number", sa.Integer(), nullable=True))
    op.add_column("ward", sa.Column("cover_version", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup that was taken before this step")
