/** How a process ended, once. */
export const exit = {
  clean: "It ended with code 0.",
  code: "It ended with code {code}.",
  notExecutable: "It ended with code 126: the start command is there but cannot be executed.",
  notFound: "It ended with code 127: the start command was not found.",
  aborted: "It aborted itself ({signal}, code {code}).",
  segfault: "It crashed on a bad memory access ({signal}, code {code}).",
  killed: "It was killed ({signal}, code {code}).",
  terminated: "It was asked to end from outside ({signal}, code {code}).",
  signal: "It was ended by {signal} (code {code}).",
  unknown: "It ended, and nobody knows how.",
  unhealthy: "It was stopped because its {probe} probe failed: @:{seen}.",
  startFailed: "It could not be started: {why}.",
}

/** The same of a process that ends again and again. */
export const again = {
  clean: "It ends with code 0 again and again, though it should run on.",
  code: "It ends with code {code} again and again.",
  notExecutable: "Each start ends with code 126: the start command is there but cannot be executed.",
  notFound: "Each start ends with code 127: the start command was not found.",
  aborted: "It aborts itself again and again ({signal}, code {code}).",
  segfault: "It crashes again and again on a bad memory access ({signal}, code {code}).",
  killed: "It is killed again and again ({signal}, code {code}).",
  terminated: "It is asked to end from outside again and again ({signal}, code {code}).",
  signal: "It is ended by {signal} again and again (code {code}).",
  unknown: "It ends again and again, and nobody knows how.",
  unhealthy: "It is restarted again and again because its {probe} probe fails: @:{seen}.",
  startFailed: "It cannot be started: {why}.",
}

export const exitRemedy = {
  clean: "For work that ends, set restartPolicy to OnFailure or Never; else read its log.",
  code: "Read the log of its last run.",
  notExecutable:
    "Make the start command executable (chmod +x) and check its first line, then upload the app again.",
  notFound: "Check the start command: it runs in the app's folder, and ./start.sh is the default.",
  aborted: "Read the log of its last run: it names what the program gave up on.",
  segfault: "A fault of the program or a library. Read the log of its last run.",
  killed: "Somebody or the system killed it. If nobody did, see in the machine's log whether memory ran out.",
  terminated: "Something outside Plum sent the signal. Look for it on the node.",
  signal: "Read the log of its last run.",
  unknown: "Read its log, and the agent's log on the node.",
  unhealthy: "Check that it answers where the probe asks, and in time; else give it longer.",
  startFailed: "Check the start command, its files and its ports.",
}
