# Says which secrets the current release of $home needs that can't be read: no node can be started without them.
lost() {
	while IFS= read -r secret || [ -n "$secret" ]; do
		[ -r "$home/secrets/$secret" ] || say lost "$secret"
	done <"$home/current/clusterctl/secrets"
} 2>/dev/null
