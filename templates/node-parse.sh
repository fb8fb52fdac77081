# The verb `parse`: has the scripts of the node parsed.
parse_node() {
	read_start
	export ZEEKCTL_CHECK_CONFIG=1 ZEEKCTL_DISABLE_LISTEN=1
	export ZEEKPATH="$release/site:$release/data:$release:$zeekpath"
	parsing=1
	set -- "$(command -v timeout || echo timeout)" -k 5 "$1" "$zeek" --parse-only
	# Whatever asks for a passphrase finds no terminal.
	command -v setsid >/dev/null 2>&1 && set -- "$(command -v setsid)" "$@"
	become "$@"
}
