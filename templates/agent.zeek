##! Answers clusterctl's status requests. Every node loads this script; written by clusterctl.

@load base/frameworks/cluster
@load base/frameworks/control

module Clusterctl;

export {
	## The name this node answers by.
	const node = Cluster::node &redef;

	## Asks a node for its status.
	##
	## request: what the answer repeats.
	global status_request: event(request: string);

	## A node's status.
	##
	## request: the request's.
	##
	## node: the node's name.
	##
	## status: a JSON object with the fields of Clusterctl::Status.
	global status_response: event(request: string, node: string, status: string);
}

type Status: record {
	node: string;
	node_type: string;
	version: string;
	pid: count;
	# In seconds.
	uptime: double;
	# The workers that this node counts.
	workers: count;
	# The names of the nodes that have said hello to this one.
	peers: vector of string;
	# Packets since the start, and over the last minute.
	received: count;
	dropped: count;
	link: count;
	received_1m: count;
	dropped_1m: count;
	# The most that the process had resident, in bytes.
	memory: count;
};

type Sample: record {
	received: count;
	dropped: count;
};

# One every ten seconds, the last minute's.
global samples: vector of Sample = vector();

event Clusterctl::take_sample()
	{
	local ns = get_net_stats();
	samples += Sample($received=ns$pkts_recvd, $dropped=ns$pkts_dropped);

	if ( |samples| > 7 )
		samples = samples[1:];

	schedule 10secs { Clusterctl::take_sample() };
	}

event zeek_init()
	{
	event Clusterctl::take_sample();
	}

function node_type_name(): string
	{
	if ( ! Cluster::is_enabled() )
		return "standalone";

	return to_lower(subst_string(cat(Cluster::local_node_type()), "Cluster::", ""));
	}

function since_sample(now: count, was: count): count
	{
	return now > was ? now - was : 0;
	}

function status_json(): string
	{
	local ns = get_net_stats();
	local ps = get_proc_stats();
	local first = |samples| > 0 ? samples[0] : Sample($received=0, $dropped=0);

	local peers: vector of string = vector();
	for ( name, n in Cluster::nodes )
		{
		# Set while the node is connected.
		if ( n?$id && name != Cluster::node )
			peers += name;
		}
	sort(peers, strcmp);

	local status = Status($node=node,
	                      $node_type=node_type_name(),
	                      $version=zeek_version(),
	                      $pid=getpid(),
	                      $uptime=interval_to_double(current_time() - ps$start_time),
	                      $workers=Cluster::get_active_node_count(Cluster::WORKER),
	                      $peers=peers,
	                      $received=ns$pkts_recvd,
	                      $dropped=ns$pkts_dropped,
	                      $link=ns$pkts_link,
	                      $received_1m=since_sample(ns$pkts_recvd, first$received),
	                      $dropped_1m=since_sample(ns$pkts_dropped, first$dropped),
	                      $memory=ps$mem);

	return to_json(status);
	}
