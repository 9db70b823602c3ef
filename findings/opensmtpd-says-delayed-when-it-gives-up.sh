#!/usr/bin/env bash
# Expected: a server that gives a message up reports `Action: failed` (RFC 3464, 2.3.3), in a `multipart/report`; what is
#           reported as `delayed` is still tried (`message kept in the queue` says the text itself).
# Happens:  OpenSMTPD of Debian 12 gives up with the subject `... delayed`, `Action: delayed` and status 4.4.7, in a
#           `multipart/mixed`; only the words `Envelope expired` beside the address say that nothing is tried any more.
#           Who reads the Action waits for ever, and who looks for `multipart/report` does not see a report.
# The product reads the parts and not their container, and takes these words for a message that was given up
# (domain/mail/bounces.py).
# Needs root, for a mount namespace: the server's accounts and paths are made there and not on the machine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
root="$folder/root" state="$folder/state"
mkdir -p "$folder/debs" "$root"/{host/usr,dev,proc,etc,var,run,tmp} "$state"/{etc,run,tmp}
mkdir -p "$state"/var/{spool/smtpd,mail,lib/opensmtpd/empty}
chmod 711 "$state/var/spool/smtpd"; chmod 1777 "$state/tmp"
(cd "$folder/debs" && { apt-get download opensmtpd=6.8.0p2-4+b4 || { apt-get update --quiet && apt-get download opensmtpd=6.8.0p2-4+b4; }; } \
  && apt-get download libevent-2.1-7 libdb5.3) >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
for deb in "$folder"/debs/*.deb; do dpkg -x "$deb" "$root"; done
rm -rf "$root"/{etc,var}; mkdir "$root"/{etc,var}
[ -d "$root/lib" ] && rm -rf "$root/lib"
for name in lib lib64 bin; do ln -s "/host/usr/$name" "$root/$name"; done

ports=$(python3 -c 'import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
read -r port closed <<<"$ports"
for account in root:0 keeper:905 opensmtpd:907 opensmtpq:908 nobody:65534; do
  name=${account%:*} id=${account#*:}
  echo "$name:x:$id:$id::/:/bin/sh" >>"$state/etc/passwd"; echo "$name:x:$id:" >>"$state/etc/group"
done
echo "127.0.0.1 localhost" >"$state/etc/hosts"
echo "agency.example" >"$state/etc/mailname"
printf 'passwd: files\ngroup: files\nhosts: files\n' >"$state/etc/nsswitch.conf"
echo "smtp 25/tcp" >"$state/etc/services"
cat >"$state/etc/smtpd.conf" <<CONF
table everybody { "@" = "keeper" }
queue ttl 2s
bounce warn-interval 1h
listen on 127.0.0.1 port $port hostname mx.agency.example
action keep maildir "/var/mail/reports" virtual <everybody>
action out relay host "smtp://127.0.0.1:$closed"
match from any for domain "agency.example" action keep
match from any for domain "acme.example" action out
CONF
chown -R 905:905 "$state/var/mail"
cat >"$state/etc/look.py" <<'PY'
import smtplib, sys, time
from email import message_from_bytes
from pathlib import Path

port, reports = int(sys.argv[1]), Path(sys.argv[2])
deadline = time.monotonic() + 60
while True:
    try:
        client = smtplib.SMTP("127.0.0.1", port, local_hostname="agency.example")
        break
    except OSError:
        assert time.monotonic() < deadline, "the server does not listen"
        time.sleep(0.1)
client.sendmail("sales@agency.example", ["jane@acme.example"], "Subject: A word\n\nHello\n")
client.quit()
while not (files := list(reports.rglob("new/*"))):
    assert time.monotonic() < deadline, "no report came"
    time.sleep(0.1)
report = message_from_bytes(files[0].read_bytes())
fields = [block for part in report.walk() if part.get_content_type() == "message/delivery-status" for block in part.get_payload()]
found = {
    "type": report.get_content_type(),
    "subject": report["Subject"],
    "action": fields[1]["Action"],
    "status": fields[1]["Status"],
    "expired": "jane@acme.example: Envelope expired" in report.as_string(),
}
print("OpenSMTPD 6.8.0p2:", found)
assert found == {
    "type": "multipart/mixed",
    "subject": "Delivery status notification: delayed",
    "action": "delayed",
    "status": "4.4.7",
    "expired": True,
}, found
PY
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child sh -euc '
  mount --make-rprivate /
  mount --rbind /usr "$1/host/usr"; mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"
  for name in etc var run tmp; do mount --bind "$2/$name" "$1/$name"; done
  ln -sfn /run "$2/var/run"
  exec chroot "$1" /usr/sbin/smtpd -d
' sh "$root" "$state" >"$folder/smtpd.log" 2>&1 &
server=$!
trap 'kill -9 "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 "$state/etc/look.py" "$port" "$state/var/mail" || { tail -20 "$folder/smtpd.log"; exit 1; }
echo "OK: OpenSMTPD reports a message that it gave up as delayed, in no multipart/report"
