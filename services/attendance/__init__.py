"""Attendance: hears devices, files and officials; tells workdays assessed, thresholds reached."""
