##! Loaded by every node (`zeek.scripts: [local]`).

@load base/protocols/conn
@load policy/tuning/json-logs
