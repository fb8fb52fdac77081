#!/usr/bin/env bash
# Prints the peak of memory, in MiB, and the time of a clusterctl for each case that could take any amount: hosts and
# peers that flood, sites and descriptions that are large, files that say nothing. No test: nothing is asserted.
# Usage: tests/memory.sh BINARY [OTHER BINARY, to compare with]
# As root, with sshd; needs perl. Each case ends after a minute, or at 4 GiB of address space above what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$#" -ge 1 ] || {
	sed -n '2,6p' "$0" >&2
	exit 2
}
sim=${ZEEK_SIM:-target/debug/zeek-sim}
[ -x "$sim" ] || {
	echo "memory.sh: $sim is missing: cargo build --workspace makes it" >&2
	exit 1
}
work=$(mktemp -d /tmp/mem.XXXXXX)
pids=()
finish() {
	[ "${#pids[@]}" = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
mkdir -p "$work/run" "$work/zeek/bin" "$work/zeek/etc" "$work/zeek/share/zeek" /run/sshd
cp "$sim" "$work/zeek/bin/zeek"
ln -s zeek "$work/zeek/bin/zeek-archiver"
for key in host id; do
	ssh-keygen -q -t ed25519 -N '' -f "$work/$key"
done
cp "$work/id.pub" "$work/authorized"
printf '[127.0.0.1]:%s %s\n' 22931 "$(cat "$work/host.pub")" 22932 "$(cat "$work/host.pub")" >"$work/known"
# Starts an sshd: port, lines that stand first, lines that stand last.
serve() {
	cat >"$work/sshd.$1" <<-CONF
		$2
		Port $1
		HostKey $work/host
		AuthorizedKeysFile $work/authorized
		PidFile none
		UsePAM no
		StrictModes no
		PermitRootLogin prohibit-password
		MaxStartups 200:30:400
		$3
	CONF
	/usr/sbin/sshd -D -f "$work/sshd.$1" -E "$work/log.$1" &
	pids+=($!)
	sleep 1
}
cat >"$work/config" <<-CONF
	Host *
	  IdentityFile $work/id
	  IdentitiesOnly yes
	  UserKnownHostsFile $work/known
	  GlobalKnownHostsFile /dev/null
	  StrictHostKeyChecking yes
CONF
# Runs a case with a binary in a folder: peak and seconds.
measure() {
	local binary=$1 dir=$2
	shift 2
	local begun=$EPOCHREALTIME
	(
		cd "$dir"
		ulimit -v $((12 << 20))
		XDG_RUNTIME_DIR=$work/run exec perl -e '
			my $limit = shift;
			my $pid = fork // die;
			if (!$pid) { open STDIN, "<", "/dev/null"; open STDOUT, ">", "/dev/null"; open STDERR, ">", "said"; exec @ARGV or die }
			my ($peak, $end) = (0, time + $limit);
			while (waitpid($pid, 1) == 0) {
				if (open my $status, "<", "/proc/$pid/status") { while (<$status>) { $peak = $1 if /^VmHWM:\s+(\d+)/ } }
				kill 9, $pid if time > $end or $peak > 6 << 20;
				select undef, undef, undef, 0.01;
			}
			printf "%d", $peak / 1024;' "${LIMIT:-60}" "$binary" "$@"
	) >"$work/peak" || true
	printf ' %8s MiB %6.1f s' "$(cat "$work/peak")" "$(echo "$EPOCHREALTIME - $begun" | bc)"
}
# One line of the table: name, folder, arguments; clean is run before each binary.
clean() { :; }
case_of() {
	local name=$1 dir=$2
	shift 2
	printf '%-44s' "$name"
	for binary in "${binaries[@]}"; do
		clean
		measure "$binary" "$dir" "$@"
	done
	echo
}
binaries=()
for binary in "$@"; do
	binaries+=("$(realpath "$binary")")
done
# A description: folder, port of sshd, hosts, further lines of zeek.
describe() {
	mkdir -p "$1"
	{
		echo "cluster: memory"
		echo "zeek: { prefix: $work/zeek, scripts: [], backend: broker, version: '8.0'$4 }"
		echo "paths: { base: $work/base }"
		echo "ports: { base: 18970, control: 18969 }"
		echo "metrics: { listen: off }"
		echo "ssh: { config: $work/config, port: $2, persist: 1s }"
		echo "hosts:"
		for n in $(seq "$3"); do
			echo "  h$n: { address: 127.0.1.$n, ssh: { host: 127.0.0.1, user: root }, paths: { base: $work/base/$n } }"
		done
		echo "nodes:"
		echo "  manager: { type: manager, host: h1 }"
		echo "  proxy: { type: proxy, host: h1, count: 1 }"
		echo "  worker: { type: worker, host: h1, interface: lo, count: 1 }"
	} >"$1/cluster.yaml"
}
printf '%-44s' case
for binary in "${binaries[@]}"; do
	printf ' %21s' "$(basename "$(dirname "$(dirname "$(dirname "$binary")")")")/$(basename "$binary")"
done
echo

# Hosts that flood: what sshd runs instead of what is asked. The last one answers as the script would, for ever.
cat >"$work/answers.pl" <<'PERL'
my ($length) = $ENV{SSH_ORIGINAL_COMMAND} =~ /(\d+)\s*$/;
read STDIN, my $script, $length;
my $token = <STDIN>;
chomp $token;
print "$token begin\n";
my $lines = "$token \n" x 1000;
print $lines while 1;
PERL
for flood in "lines:exec yes ''" "long line:exec cat /dev/zero" "answers:exec perl $work/answers.pl"; do
	port=22931
	serve "$port" "ListenAddress 127.0.0.1" "ForceCommand ${flood#*:}"
	describe "$work/flood" "$port" 1 ''
	case_of "a host sends ${flood%%:*} without end" "$work/flood" status --timeout 20s
	kill "${pids[-1]}"
	unset 'pids[-1]'
	sleep 1
done

# A peer behind the control port that floods with pings and reads nothing.
cat >"$work/pings.pl" <<'PERL'
use IO::Socket::INET;
use Digest::SHA qw(sha1_base64);
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 18969, ReuseAddr => 1) or die;
while (my $peer = $server->accept) {
	my $head = "";
	while (<$peer>) { $head .= $_; last if /^\r?\n$/ }
	my ($key) = $head =~ /Sec-WebSocket-Key: (\S+)/i;
	my $accept = sha1_base64($key . "258EAFA5-E914-47DA-95CA-C5AB0DC85B11") . "=";
	print $peer "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $accept\r\n\r\n";
	my $pings = ("\x89\x7d" . "x" x 125) x 1000;
	$SIG{PIPE} = "IGNORE";
	while (print $peer $pings) { }
}
PERL
perl "$work/pings.pl" &
pids+=($!)
sleep 1
mkdir -p "$work/peer"
describe "$work/peer" 22931 1 ''
sed -i 's/  h1: .*/  h1: { local: true }/' "$work/peer/cluster.yaml"
case_of "a peer floods with pings" "$work/peer" status
kill "${pids[-1]}"
unset 'pids[-1]'

# Files that say nothing, or are not what they seem.
mkdir -p "$work/files"
mkfifo "$work/files/pipe"
for file in /proc/kmsg "$work/files/pipe" /dev/zero; do
	LIMIT=20 case_of "-f ${file##*/}" "$work/files" check --offline -f "$file"
done

# A long interface for many nodes; settings for many nodes.
describe "$work/long" 22931 1 ''
long=$(head -c 1000000 /dev/zero | tr '\0' x)
sed -i "s/interface: lo, count: 1/interface: lo, count: 19990/" "$work/long/cluster.yaml"
cp "$work/long/cluster.yaml" "$work/long/settings.yaml"
sed -i -f - "$work/long/cluster.yaml" <<<"s/interface: lo/interface: $long/"
case_of "19,990 nodes with an interface of 1 MB" "$work/long" check --offline
sed -i -f - "$work/long/settings.yaml" <<<"s/interface: lo/interface: lo, env: { A: $long }/"
case_of "19,990 nodes with a variable of 1 MB" "$work/long" check --offline -f settings.yaml
# Many files, each as large as one may be.
describe "$work/many" 22931 1 ''
mkdir -p "$work/many/more"
for n in $(seq 12); do
	perl -e 'print "x-a: [", join(",", ("aaaaaaaaaaaaaaaaaaaa") x 380000), "]\n"' | cut -c1-8000000 >"$work/many/more/$n.yaml"
	echo "]" >>"$work/many/more/$n.yaml"
done
echo "include: ['more/*.yaml']" >>"$work/many/cluster.yaml"
case_of "12 included files of 8 MB" "$work/many" check --offline

# A large site for six hosts: addresses of one sshd, told apart by a boot id of their own.
hosts=6
serve_hosts() {
	local n
	for n in $(seq "$hosts"); do
		cat /proc/sys/kernel/random/uuid >"$work/boot.$n"
		cat >"$work/host.$n" <<-CONF
			mount --bind $work/boot.$n /proc/sys/kernel/random/boot_id
			eval "\$SSH_ORIGINAL_COMMAND"
		CONF
		printf 'ListenAddress 127.0.1.%s\n' "$n" >>"$work/listen"
		printf 'Match LocalAddress 127.0.1.%s\nForceCommand unshare -m sh %s\n' "$n" "$work/host.$n" >>"$work/match"
	done
	serve 22932 "$(cat "$work/listen")" "$(cat "$work/match")"
}
printf '[127.0.1.*]:22932 %s\n' "$(cat "$work/host.pub")" >>"$work/known"
serve_hosts
clean() { rm -rf "$work/base"; }
for size in ${SIZES:-60 250}; do
	describe "$work/site" 22932 "$hosts" ', site: site'
	sed -i 's/ssh: { host: 127.0.0.1, user: root }/ssh: { user: root }/' "$work/site/cluster.yaml"
	rm -rf "$work/site/site"
	mkdir -p "$work/site/site"
	for n in $(seq $((size / 10))); do
		head -c 10000000 /dev/urandom >"$work/site/site/$n.dat"
	done
	LIMIT=300 case_of "a site of $size MB for $hosts hosts (deploy)" "$work/site" deploy --yes --timeout 60s
	tail -n 2 "$work/site/said" >&2
	(cd "$work/site" && XDG_RUNTIME_DIR=$work/run "${binaries[0]}" stop >/dev/null 2>&1 </dev/null) || true
done
