import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/**
 * What runs when we are gone, however we went. The shell reads what we have started from a pipe that only we hold; at its end (we were
 * killed, or we are done) it ends what is left, by force after 5 s, and removes the folders. Lines: `p SIGNAL:PID …` and `d FOLDER`.
 */
const REAPER = `
pids= dirs=
while read -r kind rest; do
  case $kind in
    p) pids=$rest ;;
    d) dirs="$dirs$rest
" ;;
  esac
done
alive() { for p in $pids; do kill -0 "\${p#*:}" && return; done 2>/dev/null; return 1; }
for p in $pids; do kill -"\${p%%:*}" "\${p#*:}"; done 2>/dev/null
i=0
while alive && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
for p in $pids; do kill -KILL "\${p#*:}"; done 2>/dev/null
printf %s "$dirs" | while read -r dir; do rm -rf "$dir"; done
`;

const guarded = new Map<number, string>();
let reaper: ChildProcess | undefined;

/** Has this process ended by `signal` even if ours is killed. */
export function guard(pid: number, signal: NodeJS.Signals): void {
  guarded.set(pid, `${signal.slice("SIG".length)}:${pid}`);
  tellPids();
}

/** This process has ended: its number may be another's soon. */
export function release(pid: number): void {
  if (guarded.delete(pid)) tellPids();
}

/** Has this folder removed when we are gone. */
export function guardFolder(path: string): void {
  tell(`d ${path}`);
}

function tellPids(): void {
  tell(`p ${[...guarded.values()].join(" ")}`);
}

function tell(line: string): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${line}\n`);
}

function startReaper(): ChildProcess {
  const child = spawn("/bin/sh", ["-c", REAPER], { stdio: ["pipe", "ignore", "ignore"], detached: true, cwd: "/" });
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  // Without it we only lose the safety net.
  child.stdin?.on("error", () => undefined);
  return child;
}
