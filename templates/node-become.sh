# How a node and its parser are started: what `start/NODE` says of it.
read_start() {
	zeek='' binary='' script='' zeekpath='' cpu='' nice='' inputs='' limits='' secrets=''
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"zeek "*) zeek=$value ;;
		"binary "*) binary=$value ;;
		"script "*) script=$release/clusterctl/$value ;;
		"input "*) inputs="$inputs
$line" ;;
		"zeekpath "*) zeekpath=$value ;;
		"cpu "*) cpu=$value ;;
		"nice "*) nice=$value ;;
		"nofile "* | "core "* | "memory "*) limits="$limits $line" ;;
		"secrets "*) secrets="$secrets $value" ;;
		esac
	done <"$start"
}
# Becomes Zeek: what is given, and the node's own arguments, in its environment. From here on PATH is the node's. To parse,
# it needs no certificates: Broker would open them in a thread of its own, and dies of the end of Zeek while it does
# (9.0.0-rc1).
parsing=''
become() {
	unset PWD OLDPWD SHLVL
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"arg "*) set -- "$@" "$value" ;;
		"env CLUSTERCTL_TLS_"*)
			# shellcheck disable=SC2163
			[ -n "$parsing" ] || export "$value"
			;;
		"env "*)
			case ${value%%=*} in
			'' | [!A-Za-z_]* | *[!A-Za-z0-9_]*) ;;
			*)
				# shellcheck disable=SC2163
				export "$value"
				;;
			esac
			;;
		esac
	done <"$start"
	exec "$@"
}
