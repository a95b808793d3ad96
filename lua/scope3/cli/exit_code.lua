--- The codes that a command ends with.
---
--- The first that holds counts: UNWRITTEN, whatever else happened; STOPPED; USAGE; INTERNAL, a fault of this program;
--- FAILED where anything failed, stays unknown or was set aside by the service, or where a row was rejected under
--- --strict; NOTHING where nothing was accepted or removed, or a threshold was missed; OK all else. Which of them a
--- result has is decided in scope3.cli.outcome.
return { OK = 0, FAILED = 1, USAGE = 2, NOTHING = 3, UNWRITTEN = 4, INTERNAL = 70, STOPPED = 130 }
