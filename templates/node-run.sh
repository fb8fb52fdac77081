# The verb `run`: becomes the node.
limit() {
	# shellcheck disable=SC3045
	if (ulimit "$1" "$2") 2>/dev/null; then
		ulimit "$1" "$2"
	else
		echo "clusterctl: can't set ulimit $1 to $2" >&2
	fi
}
run_node() {
	myself
	[ -r "$start" ] || refuse "can't read $start"
	node_alive . && refuse "it already runs (pid $p)"
	read_start
	# What is no Zeek is a script of the release.
	if [ -n "$script" ]; then
		zeek=$(command -v sh)
	elif [ -z "$zeek" ] || [ "$(stat -L -c '%s %Y' "$zeek" 2>/dev/null)" != "$binary" ]; then
		refuse "the binary $zeek is not the one that this release was made for"
	fi
	for name in $secrets; do
		[ -r "$home/secrets/$name" ] || refuse "its keys $home/secrets/$name are missing: run clusterctl deploy"
		# A name has the beginning of its content's digest in it.
		case $(sha256sum <"$home/secrets/$name") in
		"${name##*-}"*) ;;
		*) refuse "its keys $home/secrets/$name have been changed: run clusterctl deploy" ;;
		esac
	done
	# `exit` is there while it pauses after an end of its own; a start by hand has put it away.
	restarts=0 tries=0
	if [ -f exit ]; then
		while read -r key value; do
			[ "$key" = restarts ] && restarts=$((value + 1))
		done <run
		read_tries exit
	fi 2>/dev/null
	rm -f .status asked
	# While `run` tells when the last process began.
	if [ -z "$script" ]; then
		spool=${dir%/nodes/*} moved=0
		log_settings "$release/clusterctl/logs.conf"
		leftovers "$dir" "$start" left
		new_second
	fi
	[ -e stderr ] && mv -f stderr stderr.last
	# On a full disk it waits for room: that can't be recorded either, so nobody would know to start it again.
	seconds
	# What it was started with is told by digests: for nobody else.
	umask 077
	until keep run "id $me
at $now
release ${release##*/}
restarts $restarts
tries $tries$inputs"; do
		sleep 5
	done
	umask 022
	[ ! -f exit ] || mv -f exit exit.last
	exec </dev/null >stdout 2>stderr
	# shellcheck disable=SC2086
	set -- $limits
	while [ "$#" -gt 1 ]; do
		case $1 in
		nofile) limit -n "$2" ;;
		core) limit -c "$2" ;;
		memory) limit -v "$2" ;;
		esac
		shift 2
	done
	export ZEEKPATH="$release/site:$home/data:$release:$zeekpath"
	for name in $secrets; do
		while IFS= read -r line; do
			# Exactly what clusterctl keeps: whatever else stands there decides nothing about the node.
			case $line in
			ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_PUBLICKEY=* | ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_SECRETKEY=* | \
				ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_PUBLICKEY=* | ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_SECRETKEY=* | \
				CLUSTERCTL_TLS_PASSPHRASE=*)
				# shellcheck disable=SC2163
				export "$line"
				;;
			esac
		done <"$home/secrets/$name"
	done
	set -- "$zeek" ${script:+"$script"}
	[ -z "$cpu" ] || set -- "$(command -v taskset || echo taskset)" -c "$cpu" "$@"
	[ -z "$nice" ] || set -- "$(command -v nice || echo nice)" -n "$nice" "$@"
	become "$@"
}
