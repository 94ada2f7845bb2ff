"""From check-ins to thresholds: schedules, calendars, workdays, ledgers, rules. All of it pure."""
