import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { launch, run } from "../servers/launch.ts";
import { commandOf } from "../servers/processes.ts";
import { startTask } from "../up/task.ts";

const launchFile = new URL("../servers/launch.ts", import.meta.url).href;

test("what was started ends when its starter is killed", async () => {
  const script = `
    const { launch } = await import(${JSON.stringify(launchFile)});
    const { pid } = await launch({ command: "sleep", args: ["600"], stopSignal: "SIGTERM", output: "/dev/null" });
    console.log(pid);
    setInterval(() => undefined, 1000);
  `;
  const starter = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(starter.stdout, "data");
  const pid = Number(line);
  expect(commandOf(pid)).toBe("sleep 600");
  starter.kill("SIGKILL");
  await expect.poll(() => commandOf(pid), { timeout: 5_000 }).toBe("");
});

test("a program that does not exist cannot be started", async () => {
  await expect(run({ command: "no-such-program", args: [] })).rejects.toThrow("ENOENT");
});

test("a program is run to its end, with all that it wrote", async () => {
  expect(await run({ command: "/bin/sh", args: ["-c", "echo out; echo err >&2; exit 3"] })).toEqual({
    code: 3,
    signal: null,
    output: expect.stringMatching(/^(out\nerr|err\nout)\n$/),
  });
});

test("one that ignores the signal is killed after its grace", async () => {
  const stubborn = await launch({
    command: "/bin/sh",
    args: ["-c", "trap '' TERM; while :; do sleep 0.1; done"],
    stopSignal: "SIGTERM",
    output: "/dev/null",
  });
  await sleep(100);
  await stubborn.stop(100);
  expect(await stubborn.exited).toEqual({ code: null, signal: "SIGKILL" });
});

test("a task that always fails is started again with longer and longer waits, and then given up", async () => {
  const reports: string[] = [];
  let starts = 0;
  const task = await startTask({
    name: "brittle",
    start: () => {
      starts++;
      return launch({ command: "/bin/sh", args: ["-c", "exit 3"], stopSignal: "SIGTERM", output: "/dev/null" });
    },
    report: (text) => reports.push(text),
  });
  task.keepAlive();
  expect(await task.lost).toBe("brittle ended (exit code 3); it failed 5 times in a row");
  expect(starts).toBe(5);
  expect(reports.filter((text) => text !== "runs again")).toEqual(
    [1, 2, 4, 8].map((wait) => `ended (exit code 3); starting it again in ${wait} s`),
  );
});

test("a task that is not kept alive is lost with its first end", async () => {
  const task = await startTask({
    name: "brief",
    start: () => launch({ command: "/bin/sh", args: ["-c", "exit 3"], stopSignal: "SIGTERM", output: "/dev/null" }),
    trouble: () => "a reason",
    report: () => undefined,
  });
  expect(await task.lost).toBe("brief ended (exit code 3): a reason");
});
