
# How good the traffic is that the node gets. What needs work for each connection is done only while somebody asks.

@load base/frameworks/telemetry
@load base/utils/site

export {
	## Asks a node for its counters of the traffic.
	##
	## request: what the answer repeats.
	##
	## looker: who asks.
	##
	## seconds: how long the node goes on to look at each connection for it; with 0 no longer.
	global traffic_request: event(request: string, looker: string, seconds: string);

	## A node's counters.
	##
	## request: the request's.
	##
	## node: the node's name.
	##
	## traffic: a JSON object with the fields of Clusterctl::Traffic.
	global traffic_response: event(request: string, node: string, traffic: string);
}

# All counters only grow, from the start of the process on.
type Connections: record {
	# That ended, or that a sample found alive.
	all: count &default=0;
	# With neither side in Site::local_nets.
	foreign: count &default=0;
	tcp: count &default=0;
	# With a wrong checksum.
	checksums: count &default=0;
	# With packets enough to judge the rest.
	judged: count &default=0;
	# With packets of one side only.
	one_sided: count &default=0;
	# With packets that came again.
	repeated: count &default=0;
};

type Traffic: record {
	node: string;
	pid: count;
	# When this was counted, in seconds since 1970.
	at: double;
	received: count;
	dropped: count;
	bytes: count;
	# Acknowledgements, and how many of them acknowledged what had not been seen.
	acks: count;
	gaps: count;
	# The most bytes of a packet that libpcap gives to Zeek.
	snaplen: count;
	ignore_checksums: bool;
	connections: Connections;
	# What Zeek found weird, as far as it points at the capture.
	weirds: table[string] of count;
	# Log records that were discarded, or lost on their way.
	lost_records: count;
	# Community IDs of connections, chosen by the ID itself: the same ones on all nodes.
	samples: vector of string;
	# How narrowly they are chosen, from 0; each step takes fewer.
	narrowness: count;
};

# An ID is chosen by what it begins with: one of 16, 64, 1,024 and 4,096.
const chosen: vector of pattern = vector(/^1:[A-D]/, /^1:A/, /^1:A[A-D]/, /^1:AA/);

const most_samples = 512;
const longest_look = 20min;
const most_lookers = 64;

global connections: Connections;
global sampled: table[string] of conn_id;
global narrowness: count = 0;

# Until when each connection is looked at, and for whom.
global lookers: table[string] of time;
global look_since: time;

# Both sides seen: acknowledged, and more than a handshake that failed. One side seen: it goes on as if it had been
# answered.
function is_evidence(c: connection, sent: count, answered: count): bool
	{
	if ( sent > 0 && answered > 0 )
		return sent + answered > 3 && /[Aa]/ in c$history;

	return sent + answered > 1 && /[Dd]|[SsHh].*[Aa]/ in c$history;
	}

function judge(c: connection)
	{
	++connections$all;

	if ( ! Site::is_local_addr(c$id$orig_h) && ! Site::is_local_addr(c$id$resp_h) )
		++connections$foreign;

	if ( get_port_transport_proto(c$id$resp_p) != tcp || ! c?$history )
		return;

	++connections$tcp;

	if ( /[Cc]/ in c$history )
		++connections$checksums;

	local sent = c$orig?$num_pkts ? c$orig$num_pkts : 0;
	local answered = c$resp?$num_pkts ? c$resp$num_pkts : 0;

	if ( ! is_evidence(c, sent, answered) )
		return;

	++connections$judged;

	if ( sent == 0 || answered == 0 )
		++connections$one_sided;

	if ( /[Tt]/ in c$history )
		++connections$repeated;
	}

event new_connection(c: connection) &group="clusterctl-traffic"
	{
	local id = community_id_v1(c$id);

	if ( chosen[narrowness] !in id )
		return;

	sampled[id] = c$id;

	if ( |sampled| <= most_samples )
		return;

	if ( narrowness + 1 == |chosen| )
		{
		delete sampled[id];
		return;
		}

	++narrowness;
	local kept: table[string] of conn_id;

	for ( other, conn in sampled )
		{
		if ( chosen[narrowness] in other )
			kept[other] = conn;
		}

	sampled = kept;
	}

# One that began before would look as if its beginning had been lost.
event connection_state_remove(c: connection) &group="clusterctl-traffic"
	{
	if ( c$start_time >= look_since )
		judge(c);
	}

function stop_looking()
	{
	disable_event_group("clusterctl-traffic");
	sampled = table();
	narrowness = 0;
	}

# Ends what a looker that does not come back left behind.
event Clusterctl::look_away(looker: string)
	{
	if ( looker !in lookers )
		return;

	if ( current_time() < lookers[looker] )
		{
		schedule lookers[looker] - current_time() + 1sec { Clusterctl::look_away(looker) };
		return;
		}

	delete lookers[looker];

	if ( |lookers| == 0 )
		stop_looking();
	}

function look(looker: string, seconds: count)
	{
	local known = looker in lookers;

	if ( seconds == 0 )
		{
		if ( known )
			{
			delete lookers[looker];

			if ( |lookers| == 0 )
				stop_looking();
			}

		return;
		}

	if ( ! known && |lookers| == most_lookers )
		return;

	local span = min_interval(double_to_interval(1.0 * seconds), longest_look);

	if ( |lookers| == 0 )
		{
		look_since = network_time();
		enable_event_group("clusterctl-traffic");
		}

	lookers[looker] = current_time() + span;

	if ( ! known )
		schedule span + 1sec { Clusterctl::look_away(looker) };
	}

event zeek_init() &priority=-100
	{
	disable_event_group("clusterctl-traffic");
	}

# Connections that live long are reported only when they end: the sampled ones are looked at before.
function connections_now(): Connections
	{
	local ended = copy(connections);

	for ( id, conn in sampled )
		{
		if ( connection_exists(conn) )
			judge(lookup_connection(conn));
		}

	local now = connections;
	connections = ended;
	return now;
	}

function lost_records(): count
	{
	local lost = 0.0;

	for ( _, name in vector("log_writer_discarded_writes", "cluster_zeromq_xpub_drops", "cluster_zeromq_onloop_drops") )
		{
		for ( _, metric in Telemetry::collect_metrics("zeek", name) )
			lost += metric?$value ? metric$value : 0.0;
		}

	return double_to_count(lost);
	}

function traffic_json(): string
	{
	local ns = get_net_stats();
	local gs = get_gap_stats();

	local weirds: table[string] of count;
	for ( name, n in get_reporter_stats()$weirds_by_type )
		{
		if ( /checksum|truncated|split_routing|data_before_established/ in name )
			weirds[name] = n;
		}

	local ids: vector of string = vector();
	for ( id, _ in sampled )
		ids += id;

	return to_json(Traffic($node=node,
	                       $pid=getpid(),
	                       $at=time_to_double(current_time()),
	                       $received=ns$pkts_recvd,
	                       $dropped=ns$pkts_dropped,
	                       $bytes=ns$bytes_recvd,
	                       $acks=gs$ack_events,
	                       $gaps=gs$gap_events,
	                       $snaplen=Pcap::snaplen,
	                       $ignore_checksums=ignore_checksums,
	                       $connections=connections_now(),
	                       $weirds=weirds,
	                       $lost_records=lost_records(),
	                       $samples=ids,
	                       $narrowness=narrowness));
	}
