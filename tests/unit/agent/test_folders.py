import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent import runs
from agent.folders import Folders, InUse, NewerFormat, OtherOwner
from agent.instances import FORMAT, End, Record
from agent.remembered import Seen
from agent.runs import Who
from agent.runtime import Exit, Process
from tests.unit.agent.objects import assignment

SAMPLES = Path(__file__).parent / "samples"
BOOT = "b"
KEY = ("default", "web-1")
RECORD = Record(
    namespace="default",
    name="web-1",
    uid="u",
    process=Process(uid="u", boot_id="b", pid=7, start_time=9),
    run=2,
    ports={"http": 20000},
    restarts=3,
    end=End(cause="Exited", exit=Exit(code=4)),
)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "agent")
    with folders.locked():
        return folders


def test_a_record_reads_as_it_was_written(folders: Folders) -> None:
    folders.save(RECORD)
    assert folders.records(BOOT) == [RECORD]
    folders.save(RECORD.model_copy(update={"restarts": 4}))
    assert [record.restarts for record in folders.records(BOOT)] == [4]


def test_a_folder_without_a_usable_record_is_thrown_away(folders: Folders) -> None:
    folders.save(RECORD)
    for name, text in (("default.a", "{"), ("default.b", RECORD.model_dump_json(by_alias=True))):
        (folders.instances / name).mkdir()
        (folders.instances / name / "record.json").write_text(text)
    assert folders.records(BOOT) == [RECORD]
    assert [path.name for path in folders.instances.iterdir()] == ["default.web-1"]


def test_a_lost_record_is_made_anew_from_the_last_run(folders: Folders) -> None:
    """A process is never forgotten: a broken record costs the record, and that of this instance only."""
    coming = Process(uid="u", boot_id=BOOT, run=str(folders.run(KEY, 12)))
    record = RECORD.model_copy(update={"run": 12, "process": coming})
    for content in (b"", b"{", b"[]", b"\xff", b'{"format": 1}', b'{"format": "x"}'):
        folders.remove(KEY, record.uid)
        folders.save(record)
        runs.write(folders.run(KEY, 9), uid="u", script="", facts=b"")
        runs.write(folders.run(KEY, 12), uid="u", script="", facts=record.model_dump_json(by_alias=True).encode())
        (folders.instance(KEY) / "record.json").write_bytes(content)
        assert folders.records(BOOT) == [record]
        (folders.run(KEY, 12) / "run.json").write_bytes(content)
        (found,) = folders.records(BOOT)
        assert (found.key, found.uid, found.run, found.process) == (KEY, "u", 12, coming)


def test_a_record_of_a_later_format_is_refused(folders: Folders) -> None:
    folders.save(RECORD.model_copy(update={"format": FORMAT + 1}))
    with pytest.raises(NewerFormat, match=r"record\.json: is of format 2.*run the version that wrote it"):
        folders.records(BOOT)


def test_the_kept_sample_of_format_1_is_read(folders: Folders) -> None:
    """Written once by the first version that had a format; never to be changed."""
    shutil.copytree(SAMPLES / "format-1", folders.instances, dirs_exist_ok=True)
    running, ended = folders.records("8af3bb97-8960-4c04-98ec-c9810cad0ab4")
    assert (running.key, running.run, running.restarts, running.ports) == (
        ("default", "web-main-aaaa"),
        3,
        2,
        {"http": 20104},
    )
    assert running.process is not None
    assert running.process.run == str(folders.run(running.key, 3))
    assert running.stop is not None
    assert (running.stop.cause, running.stop.signal, running.stop.grace) == ("Restarted", "INT", 7.5)
    assert running.assignment is not None
    assert running.assignment.parse().spec.template.env[0].name == "COLOR"
    assert (runs.main_process(folders.run(running.key, 3)), runs.shim(folders.run(running.key, 3))) == (
        Who(4242, 99),
        Who(4241, 98),
    )
    assert ended.end == End(cause="Exited", exit=Exit(code=3))
    assert runs.exit_code(folders.run(ended.key, 1)) == 3
    assert runs.is_gone(folders.run(ended.key, 1))


def test_the_archives_of_instances_are_known_as_far_as_records_can_be_read(folders: Folders) -> None:
    folders.save(RECORD.model_copy(update={"assignment": Seen.of(assignment("web-1", template={"sha256": "1" * 64}))}))
    folders.save(RECORD.model_copy(update={"name": "nothing-known"}))
    (folders.instances / "default.torn").mkdir()
    (folders.instances / "default.torn" / "record.json").write_text("{")
    assert folders.digests() == {"1" * 64}


def test_what_it_wrote_is_kept_when_an_instance_goes(folders: Folders) -> None:
    folders.save(RECORD)
    runs.write(folders.run(KEY, 1), uid="u", script="", facts=b"")
    (folders.run(KEY, 1) / "out.log").write_text("line\n")
    folders.remove(KEY, "u")
    assert not folders.instance(KEY).exists()
    assert (folders.ended / "default.web-1.u" / "runs" / "1" / "out.log").read_text() == "line\n"


def test_removing_is_complete_and_repeatable(folders: Folders) -> None:
    folders.save(RECORD)
    (folders.app(KEY) / "deep").mkdir(parents=True)
    (folders.app(KEY) / "link").symlink_to("/")
    folders.remove(KEY, "u")
    folders.remove(KEY, "u")
    assert not folders.instance(KEY).exists()


def test_half_done_work_is_swept(folders: Folders) -> None:
    folders.save(RECORD)
    (folders.cache / "abc.zip.tmp-1").write_text("x")
    (folders.instance(KEY) / "app.tmp-1").mkdir()
    folders.sweep()
    assert [*folders.cache.iterdir()] == []
    assert [path.name for path in folders.instance(KEY).iterdir()] == ["record.json"]


def test_slots_share_data_and_others_do_not(folders: Folders) -> None:
    one, successor = assignment("a"), assignment("b", spec={"attempt": 1})
    assert folders.slot_data(one) == folders.slot_data(successor)
    assert folders.slot_data(one) != folders.slot_data(assignment("c", spec={"ordinal": 1}))


@pytest.mark.parametrize("task", ["../x", "a/b", "a\0", "x" * 300])
def test_names_that_lead_elsewhere_are_refused(folders: Folders, task: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a folder's name"):
        folders.slot_data(assignment("a", spec={"taskName": task}))


def test_one_agent_a_folder_and_the_lock_dies_with_it(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys
from agent.folders import Folders
with Folders(pathlib.Path({str(tmp_path)!r})).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(InUse, match=rf"pid {other.pid}.*--data-dir of its own"), Folders(tmp_path).locked():
            pass
        other.kill()
    with Folders(tmp_path).locked():
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_what_an_app_made_read_only_goes_too(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    with folders.locked():
        deep = folders.instance(("default", "web-1")) / "app" / "cache" / "module"
        deep.mkdir(parents=True)
        (deep / "file").write_text("x")
        outside = tmp_path / "outside"
        outside.mkdir(mode=0o555)
        (deep / "link").symlink_to(outside)
        for folder in (deep, deep.parent):
            folder.chmod(0o555)
        folders.remove(("default", "web-1"), "u")
        assert not folders.instance(("default", "web-1")).exists()
        assert outside.stat().st_mode & 0o777 == 0o555


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_folder_of_another_users_agent_is_refused(tmp_path: Path) -> None:
    """Else what runs there could no longer be looked after by either."""
    folders = Folders(tmp_path)
    with folders.locked():
        folders.identity()
    os.chown(tmp_path / "identity", 54321, -1)
    with pytest.raises(OtherOwner, match="agent of user 54321, and this one is run by root: run it as 54321, or stop"):
        folders.locked().__enter__()
    os.chown(tmp_path / "identity", 0, -1)
    with folders.locked():
        pass


def test_the_identity_of_a_folder_stays(tmp_path: Path) -> None:
    one, other = Folders(tmp_path / "one"), Folders(tmp_path / "other")
    with one.locked(), other.locked():
        assert one.identity() == Folders(tmp_path / "one").identity() != other.identity()


def test_pipes_in_place_of_files_keep_neither_the_agent_nor_the_rotator_waiting(folders: Folders) -> None:
    """In a program of its own, since who waits for a pipe waits for ever."""
    folders.save(RECORD)
    run = folders.run(KEY, 2)
    run.mkdir(parents=True)
    for path in [run / name for name in ("run.json", "claim", "pid", "gone", "times", "uid")]:
        os.mkfifo(path)
    (folders.instance(KEY) / "record.json").unlink()
    os.mkfifo(folders.instance(KEY) / "record.json")
    program = (
        "import pathlib, sys; from agent.folders import Folders; from agent.logs import runs;"
        "print(runs.is_over(sys.argv[2]), runs.uid(sys.argv[2]) == '', runs.limits(sys.argv[2]).files);"
        "print([record.key for record in Folders(pathlib.Path(sys.argv[1])).records('b')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(folders.root), str(run)], capture_output=True, timeout=30, check=True
    )
    assert found.stdout.decode() == "False True 5\n[('default', 'web-1')]\n"


def test_a_fifo_where_a_state_file_should_be_says_nothing_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "exit")
    writer = os.open(tmp_path / "exit", os.O_RDWR)  # so that an open never waits; the read would
    try:
        os.set_blocking(writer, False)
        assert runs.exit_code(tmp_path) is None
    finally:
        os.close(writer)
