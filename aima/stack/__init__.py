"""The stack of one data folder: Temporal, a worker, the engine, and the door to them.

Who owns it is one small protocol:

* The owner is the process that holds an exclusive lock (``flock``) on ``DATA/lock``. The kernel
  drops the lock with the process, however it dies, so a lock can never be stale; what is
  written in the file is only for people.
* When everything is ready the owner writes ``DATA/stack.json``: its pid, the door's port and
  token, and where Temporal is. The file counts only while the lock is held. A file without a
  lock is left over from a crash; the next owner removes it.
* The children (Temporal, worker, engine) die with the owner: on Linux the kernel sees to it
  (``PR_SET_PDEATHSIG``). Elsewhere, and for certainty, their pids and start times stand in
  ``DATA/children.json``, and the next owner ends those that still live before it begins.
* A stack begun by ``aima up`` stays until ``aima down``. One begun by another command ends when
  the last client that is attached to it has gone, unless one asked it to stay. A client is
  attached while it holds a connection open, so one that is killed has left.
* A stack that does not stay starts no worker until a client comes that needs one: to look at
  runs would otherwise take up open work, only to drop it a moment later.
* Two who start a stack at once both try; the kernel's lock lets one through, and the other uses
  that one's. A stack that is ending takes no client; who comes then waits and starts its own.
"""
