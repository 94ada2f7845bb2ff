"""Every fact and event there is, by its CloudEvents type."""

from shared.events import attendance, discipline, notifications
from shared.events.base import Fact

KINDS: tuple[type[Fact], ...] = (
    attendance.CheckInRecorded,
    attendance.PunchUnresolved,
    attendance.EmployeeRegistered,
    attendance.ExcuseRecorded,
    attendance.ExcuseRevoked,
    attendance.ShiftAssigned,
    attendance.PersonForgotten,
    attendance.RegencyRegistered,
    attendance.UnitRegistered,
    attendance.DeviceRegistered,
    attendance.PinAssigned,
    attendance.SchedulePublished,
    attendance.CalendarPublished,
    attendance.OutageDeclared,
    attendance.RuleSetPublished,
    attendance.WorkdayClosed,
    attendance.FoldAdopted,
    attendance.WorkdayAssessed,
    attendance.AbsenceThresholdReached,
    attendance.AbsenceThresholdRetracted,
    discipline.ThresholdNoted,
    discipline.SanctionProposed,
    discipline.SanctionProposalWithdrawn,
    discipline.SanctionProposalReinstated,
    discipline.CaseReviewRequired,
    notifications.NotificationQueued,
    notifications.NotificationDelivered,
    notifications.NotificationFailed,
)
BY_TYPE: dict[str, type[Fact]] = {kind.type_name(): kind for kind in KINDS}
