"""What is refused because of how a patient's record stands."""

from service.errors import Conflict


class PatientErased(Conflict):
    """This person's identity was removed for good: nothing is added any more. Who comes again is registered anew."""

    code = "patient_erased"


class StayGoesOn(Conflict):
    """This person's stay goes on; it has to end first. `stay_id` names it."""

    code = "stay_goes_on"


class AlertUnresolved(Conflict):
    """An alert of this person is not resolved; that comes first. `alert_id` names it."""

    code = "alert_unresolved"
