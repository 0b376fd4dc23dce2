"""A real S3 server: Debian's Ceph gateway over one monitor and one object store in memory, on free ports.

Started once per test session. It checks signatures, upload policies, object lock and versioning as a real
service does, which an imitation of S3 would not.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from media.aws import AwsAccess, open_s3
from media.buckets import Bucket
from tests.servers.ports import free_port, wait_until_listening

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

MISSING = "a Ceph gateway is not installed (Debian packages ceph-mon ceph-osd radosgw ceph-common)"
PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
REGION = "us-east-1"
#: A key of the gateway's own key service, for `ServerSideEncryption=aws:kms`.
KMS_KEY = "k1"
_STORE_BYTES = 4 * 1024**3  # reserved only as it is filled
_ADMIN_SECONDS = 60

_CONFIG = """\
[global]
fsid={fsid}
keyring={folder}/keyring
mon_initial_members=a
mon_host=[v2:127.0.0.1:{mon_v2}/0,v1:127.0.0.1:{mon_v1}/0]
mon_data={folder}/mon
public_addr=127.0.0.1
cluster_addr=127.0.0.1
run_dir={folder}/run
log_file={folder}/log/$name.log
log_max_recent=1
pid_file={folder}/run/$name.pid
admin_socket={folder}/run/$name.asok
crash_dir={folder}/log
osd_pool_default_size=1
osd_pool_default_min_size=1
osd_pool_default_pg_num=1
osd_pool_default_pg_autoscale_mode=off
osd_crush_chooseleaf_type=0
mon_allow_pool_size_one=true
mon_osd_full_ratio=0.99
mon_osd_nearfull_ratio=0.99
mon_data_avail_warn=1
mon_data_avail_crit=1
mon_max_pg_per_osd=1000
paxos_propose_interval=0.05
[osd]
osd_data={folder}/osd0
osd_objectstore=memstore
memstore_device_bytes={store_bytes}
[client.rgw.a]
rgw_frontends=beast endpoint=127.0.0.1:{port}
rgw_data={folder}/rgw
rgw_thread_pool_size=32
rgw_gc_max_objs=1
rgw_lc_max_objs=1
rgw_usage_max_shards=1
rgw_reshard_num_logs=1
rgw_override_bucket_index_max_shards=1
rgw_crypt_require_ssl=false
rgw_crypt_s3_kms_backend=testing
rgw_crypt_s3_kms_encryption_keys={kms_key}=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
"""


def installed() -> bool:
    return all(shutil.which(program) for program in PROGRAMS)


class RadosGateway:
    """`start` it and `stop` it. access_key, secret_key: of its one user."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kaika-s3-"))
        self._config = self._folder / "ceph.conf"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.access_key = secrets.token_hex(10)
        self.secret_key = secrets.token_hex(20)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> AwsAccess:
        return AwsAccess(REGION, self.endpoint, self.access_key, self.secret_key)

    def new_bucket(self, *, lock: bool = False) -> Bucket:
        """A bucket with a name of its own. lock: with object lock and so with versions."""
        name = f"kaika-{uuid.uuid4().hex[:12]}"
        self._client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        return Bucket(self._client, name)

    def new_quarantine(self) -> Bucket:
        """A bucket fit for direct uploads."""
        bucket = self.new_bucket()
        bucket.client.put_bucket_lifecycle_configuration(
            Bucket=bucket.name,
            LifecycleConfiguration={
                "Rules": [
                    {"ID": "day", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
                ]
            },
        )
        return bucket

    @functools.cached_property
    def _client(self) -> S3Client:
        return open_s3(self.access)

    def start(self) -> None:
        """Ready when it returns. Raises RuntimeError with the last lines of what did not start."""
        try:
            self._prepare()
            self._spawn("ceph-mon", "-i", "a")
            self._run("ceph", "osd", "new", osd := str(uuid.uuid4()))
            self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
            self._spawn("ceph-osd", "-i", "0")
            self._make_user()
            self._spawn("radosgw", "-n", "client.rgw.a")
            wait_until_listening("127.0.0.1", self.port, 60)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends every process that was started, and removes the folder."""
        for process in reversed(self._processes):
            process.kill()
            process.wait(10)
        self._processes.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def pause(self) -> None:
        """Stops answering, as a service that is down behind a network does."""
        self._processes[-1].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._processes[-1].send_signal(signal.SIGCONT)

    def _prepare(self) -> None:
        for name in ("mon", "osd0", "run", "log", "rgw"):
            (self._folder / name).mkdir()
        fsid, mon_v2, mon_v1 = str(uuid.uuid4()), free_port(), free_port()
        self._config.write_text(
            _CONFIG.format(
                folder=self._folder,
                fsid=fsid,
                mon_v2=mon_v2,
                mon_v1=mon_v1,
                port=self.port,
                store_bytes=_STORE_BYTES,
                kms_key=KMS_KEY,
            )
        )
        keyring, monmap = str(self._folder / "keyring"), str(self._folder / "monmap")
        address = f"[v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]"
        self._run("monmaptool", "--create", "--addv", "a", address, "--fsid", fsid, monmap)
        self._run(
            "ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"
        )
        for name in ("client.admin", "osd.0", "client.rgw.a"):
            caps = [part for service in ("mon", "osd", "mgr") for part in ("--cap", service, "allow *")]
            self._run("ceph-authtool", keyring, "--gen-key", "-n", name, *caps)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)

    def _make_user(self) -> None:
        keys = ("--access-key", self.access_key, "--secret-key", self.secret_key)
        self._run("radosgw-admin", "user", "create", "--uid=kaika", "--display-name=Kaika", *keys)

    def _spawn(self, program: str, *arguments: str) -> None:
        with (self._folder / "log" / f"{program}.out").open("wb") as log:
            process = subprocess.Popen(
                [program, "-f", *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [program, *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ADMIN_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')[-500:]}")

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CEPH_CONF": str(self._config)}
