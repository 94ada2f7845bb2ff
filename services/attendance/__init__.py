"""Attendance: takes in facts of devices and officials; publishes workdays and thresholds."""
