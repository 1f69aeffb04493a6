"""First tables"""

import sqlalchemy as sa
from alembic import op

from service.storage.portable import IdType, InstantType

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", IdType(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("subject_type", sa.String(length=20), nullable=True),
        sa.Column("subject_id", IdType(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["ward_id", "at"], unique=False)
    op.create_table(
        "client",
        sa.Column("id", IdType(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("secret_hash", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
    )
    op.create_table(
        "event",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("subject_type", sa.String(length=20), nullable=False),
        sa.Column("subject_id", IdType(), nullable=False),
        sa.Column("actor_id", IdType(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("ward_id", "number", name=op.f("pk_event")),
    )
    op.create_index("ix_event_subject", "event", ["ward_id", "subject_id", "number"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("sender_id", IdType(), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("reading_id", IdType(), nullable=False),
        sa.Column("received_at", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("ward_id", "stay_id", "sender_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "signing_key",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("private_key", sa.String(length=2000), nullable=False),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.Column("retired_at", InstantType(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_key")),
    )
    op.create_table(
        "staff",
        sa.Column("id", IdType(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("administrator", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.create_table(
        "ward",
        sa.Column("id", IdType(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("ods_code", sa.String(length=12), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("out_of_hours_text", sa.String(length=2000), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ward")),
    )
    op.create_table(
        "ward_feed",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("epoch", IdType(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("last_at", InstantType(), nullable=True),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("acknowledged", sa.Integer(), nullable=False),
        sa.Column("recovered", sa.Integer(), nullable=False),
        sa.Column("critical", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("medium", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ward_id", name=op.f("pk_ward_feed")),
    )
    op.create_table(
        "client_ward",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("client_id", IdType(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_ward_client_id")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_client_ward_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "client_id", name=op.f("pk_client_ward")),
    )
    op.create_index("ix_client_ward_client_id", "client_ward", ["client_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("staff_id", IdType(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint("role IN ('clinician', 'lead', 'auditor')", name=op.f("ck_membership_role")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_membership_staff_id")),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_membership_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "staff_id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_staff_id", "membership", ["staff_id"], unique=False)
    op.create_table(
        "patient",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("family_name", sa.String(length=120), nullable=False),
        sa.Column("given_name", sa.String(length=120), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("contact_hold", sa.Boolean(), nullable=False),
        sa.Column("deceased", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.ForeignKeyConstraint(["ward_id"], ["ward.id"], name=op.f("fk_patient_ward_id")),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_patient")),
    )
    op.create_table(
        "patient_identifier",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("system", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("patient_id", IdType(), nullable=False),
        sa.CheckConstraint("system IN ('nhs_number', 'mrn')", name=op.f("ck_patient_identifier_system")),
        sa.ForeignKeyConstraint(
            ["ward_id", "patient_id"],
            ["patient.ward_id", "patient.id"],
            name=op.f("fk_patient_identifier_ward_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("ward_id", "system", "value", name=op.f("pk_patient_identifier")),
    )
    op.create_index("ix_patient_identifier_patient_id", "patient_identifier", ["ward_id", "patient_id"], unique=False)
    op.create_table(
        "stay",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("patient_id", IdType(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("admitted_at", InstantType(), nullable=False),
        sa.Column("sixteen_on", sa.Date(), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("previous_stay_id", IdType(), nullable=True),
        sa.Column("paused_until", InstantType(), nullable=True),
        sa.Column("pause_reason", sa.String(length=200), nullable=True),
        sa.Column("discharged_at", InstantType(), nullable=True),
        sa.Column("discharge_reason", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused', 'discharged')", name=op.f("ck_stay_status")),
        sa.ForeignKeyConstraint(
            ["ward_id", "patient_id"],
            ["patient.ward_id", "patient.id"],
            name=op.f("fk_stay_ward_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_stay")),
    )
    op.create_index(
        "uq_stay_one_active",
        "stay",
        ["ward_id", "patient_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'discharged'"),
        postgresql_where=sa.text("status <> 'discharged'"),
    )
    op.create_table(
        "alert",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("stay_id", IdType(), nullable=True),
        sa.Column("patient_id", IdType(), nullable=True),
        sa.Column("family", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("peak_severity", sa.SmallInteger(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("retrospective", sa.Boolean(), nullable=False),
        sa.Column("escalation_level", sa.SmallInteger(), nullable=False),
        sa.Column("first_breach_at", InstantType(), nullable=False),
        sa.Column("opened_at", InstantType(), nullable=False),
        sa.Column("last_breach_at", InstantType(), nullable=False),
        sa.Column("recovered_at", InstantType(), nullable=True),
        sa.Column("resolved_at", InstantType(), nullable=True),
        sa.Column("respond_by", InstantType(), nullable=False),
        sa.Column("contact_due_at", InstantType(), nullable=True),
        sa.Column("next_due_at", InstantType(), nullable=True),
        sa.Column("reading_count", sa.Integer(), nullable=False),
        sa.Column("previous_alert_id", IdType(), nullable=True),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.Column("machine", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'acknowledged', 'recovered', 'resolved')", name=op.f("ck_alert_state")),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_alert_severity")),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_alert_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_alert")),
    )
    op.create_index(
        "ix_alert_queue",
        "alert",
        ["ward_id", sa.literal_column("severity DESC"), "taken", "respond_by", "id"],
        unique=False,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_index("ix_alert_stay", "alert", ["ward_id", "stay_id", "family", "opened_at"], unique=False)
    op.create_index(
        "uq_alert_one_unresolved",
        "alert",
        ["ward_id", "subject", "family"],
        unique=True,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_table(
        "plan",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("profile", sa.String(length=12), nullable=False),
        sa.Column("baseline_spo2", sa.Integer(), nullable=True),
        sa.Column("usual_breathlessness", sa.Float(), nullable=True),
        sa.Column("prescribed_oxygen_flow", sa.Float(), nullable=True),
        sa.Column("pregnant", sa.Boolean(), nullable=True),
        sa.Column("red_at", sa.Integer(), nullable=True),
        sa.Column("red_at_approved", sa.Boolean(), nullable=False),
        sa.Column("approved_by", IdType(), nullable=True),
        sa.Column("amber_at", sa.Integer(), nullable=True),
        sa.Column("target_low", sa.Integer(), nullable=True),
        sa.Column("reading_times", sa.JSON(), nullable=False),
        sa.Column("treatment_escalation", sa.String(length=2000), nullable=True),
        sa.Column("patient_text", sa.String(length=2000), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("author_id", IdType(), nullable=True),
        sa.Column("created_at", InstantType(), nullable=False),
        sa.CheckConstraint("profile IN ('standard', 'hypercapnic', 'custom')", name=op.f("ck_plan_profile")),
        sa.CheckConstraint("baseline_spo2 BETWEEN 70 AND 100", name=op.f("ck_plan_baseline_spo2")),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_plan_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "stay_id", "version", name=op.f("pk_plan")),
    )
    op.create_table(
        "reading",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("client_reading_id", sa.String(length=128), nullable=True),
        sa.Column("observed_at", InstantType(), nullable=False),
        sa.Column("observed_offset", sa.SmallInteger(), nullable=False),
        sa.Column("claimed_at", InstantType(), nullable=True),
        sa.Column("received_at", InstantType(), nullable=False),
        sa.Column("client_sent_at", InstantType(), nullable=True),
        sa.Column("spo2", sa.Float(), nullable=True),
        sa.Column("pulse_rate", sa.SmallInteger(), nullable=True),
        sa.Column("respiratory_rate", sa.SmallInteger(), nullable=True),
        sa.Column("systolic_bp", sa.SmallInteger(), nullable=True),
        sa.Column("diastolic_bp", sa.SmallInteger(), nullable=True),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("consciousness", sa.String(length=12), nullable=True),
        sa.Column("oxygen_flow", sa.Float(), nullable=True),
        sa.Column("context", sa.String(length=40), nullable=False),
        sa.Column("breathlessness", sa.Float(), nullable=True),
        sa.Column("feeling", sa.String(length=8), nullable=True),
        sa.Column("symptoms", sa.String(length=400), nullable=True),
        sa.Column("perfusion_index", sa.Float(), nullable=True),
        sa.Column("signal_quality", sa.String(length=8), nullable=True),
        sa.Column("quality", sa.String(length=8), nullable=False),
        sa.Column("device_id", sa.String(length=120), nullable=True),
        sa.Column("device_model", sa.String(length=120), nullable=True),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("entered_by", sa.String(length=120), nullable=True),
        sa.Column("sender_id", IdType(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("rule_set_version", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_reading_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_reading")),
    )
    op.create_index("ix_reading_stay_id_observed_at", "reading", ["ward_id", "stay_id", "observed_at"], unique=False)
    op.create_table(
        "refusal",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("stay_id", IdType(), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["ward_id", "stay_id"], ["stay.ward_id", "stay.id"], name=op.f("fk_refusal_ward_id_stay_id")
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_refusal")),
    )
    op.create_index("ix_refusal_stay_id_at", "refusal", ["ward_id", "stay_id", "at"], unique=False)
    op.create_table(
        "alert_note",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("id", IdType(), nullable=False),
        sa.Column("alert_id", IdType(), nullable=False),
        sa.Column("at", InstantType(), nullable=False),
        sa.Column("author_id", IdType(), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["ward_id", "alert_id"],
            ["alert.ward_id", "alert.id"],
            name=op.f("fk_alert_note_ward_id_alert_id"),
        ),
        sa.PrimaryKeyConstraint("ward_id", "id", name=op.f("pk_alert_note")),
    )
    op.create_index("ix_alert_note_alert_id", "alert_note", ["ward_id", "alert_id", "at"], unique=False)
    op.create_table(
        "alert_response",
        sa.Column("ward_id", IdType(), nullable=False),
        sa.Column("alert_id", IdType(), nullable=False),
        sa.Column("acknowledged_at", InstantType(), nullable=True),
        sa.Column("acknowledged_by", IdType(), nullable=True),
        sa.Column("ack_expires_at", InstantType(), nullable=True),
        sa.Column("assigned_to", IdType(), nullable=True),
        sa.Column("snoozed_until", InstantType(), nullable=True),
        sa.Column("contacted_at", InstantType(), nullable=True),
        sa.Column("resolved_by", IdType(), nullable=True),
        sa.Column("outcome", sa.String(length=30), nullable=True),
        sa.ForeignKeyConstraint(
            ["ward_id", "alert_id"],
            ["alert.ward_id", "alert.id"],
            name=op.f("fk_alert_response_ward_id_alert_id"),
        ),
        sa.PrimaryKeyConstraint("ward_id", "alert_id", name=op.f("pk_alert_response")),
    )


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup that was taken before this step")
