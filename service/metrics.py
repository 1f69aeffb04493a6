"""What the service counts about itself. Labels are rule ids, codes, families: never a patient or a value."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

READINGS = Counter("wardwatch_readings", "Readings by what was done with them.", ["outcome"], registry=REGISTRY)
REFUSALS = Counter("wardwatch_refusals", "Requests refused, by problem code.", ["code"], registry=REGISTRY)
ALERT_CHANGES = Counter(
    "wardwatch_alert_changes",
    "Changes of alerts by family and kind.",
    ["family", "change"],
    registry=REGISTRY,
)
GROUP_SIZE = Histogram(
    "wardwatch_group_readings",
    "Readings committed together in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
    registry=REGISTRY,
)
GROUP_SECONDS = Histogram(
    "wardwatch_group_seconds", "Seconds from opening a transaction to its commit.", registry=REGISTRY
)
WAITING = Gauge(
    "wardwatch_waiting_readings",
    "Readings waiting to be committed.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
ENGINE_FAILURES = Counter("wardwatch_engine_failures", "Stays the clinical engine failed on.", registry=REGISTRY)
AUDIT_LOST = Counter("wardwatch_audit_lost", "Entries of the audit trail that could not be kept.", registry=REGISTRY)
TIMER_FAILURES = Counter(
    "wardwatch_timer_failures", "Rounds of time-driven work that failed, by kind.", ["kind"], registry=REGISTRY
)
NOTICES = Counter("wardwatch_notices", "Tries to send a message, by what became of it.", ["state"], registry=REGISTRY)
LATE = Gauge(
    "wardwatch_late",
    "1 while a kind of work is later than R17 allows, as this replica's watchdog sees it.",
    ["kind"],
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
