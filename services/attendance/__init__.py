"""Attendance: hears what devices, files and officials say; tells workdays assessed and thresholds reached."""
