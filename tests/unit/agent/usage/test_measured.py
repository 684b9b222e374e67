from agent.instances import Instance, Record
from agent.runtime import Process
from agent.usage.measured import Measured, to_measure


def instance(name: str, process: Process | None) -> Instance:
    return Instance(Record(namespace="default", name=name, uid=f"uid-{name}", run=7, restarts=3, process=process))


def test_instances_with_a_known_process_are_measured() -> None:
    running = Process(uid="uid-a", boot_id="b", pid=20, start_time=200, shim=10)
    starting = Process(uid="uid-b", boot_id="b")
    found = to_measure([instance("a", running), instance("b", starting), instance("c", None)])
    assert found == [Measured("default", "a", "uid-a", 7, (20, 200), 10, 3)]
