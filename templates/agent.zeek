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

	## Asks a node what happened there.
	##
	## request: what the answer repeats.
	##
	## name: the name of the node that is meant.
	##
	## pid: the process that the asker has heard of; empty for one that wants to know only what happens from now on.
	##
	## after: the number of the last event that the asker knows of that process.
	global events_request: event(request: string, name: string, pid: string, after: string);

	## What happened on a node.
	##
	## request: the request's.
	##
	## node: the node's name.
	##
	## events: a JSON object with the fields of Clusterctl::Events.
	global events_response: event(request: string, node: string, events: string);
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
	link_1m: count;
	# The same in bytes.
	bytes: count;
	bytes_1m: count;
	# How long that minute is, in seconds.
	window: double;
	# The most that the process had resident, in bytes.
	memory: count;
};

type Sample: record {
	at: time;
	received: count;
	dropped: count;
	link: count;
	bytes: count;
};

# One every ten seconds, the last minute's.
global samples: vector of Sample = vector();

function sample(): Sample
	{
	local ns = get_net_stats();
	return Sample($at=current_time(),
	              $received=ns$pkts_recvd,
	              $dropped=ns$pkts_dropped,
	              $link=ns$pkts_link,
	              $bytes=ns$bytes_recvd);
	}

event Clusterctl::take_sample()
	{
	samples += sample();

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
	local now = sample();
	local ps = get_proc_stats();
	local first = |samples| > 0 ? samples[0] : now;

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
	                      $uptime=interval_to_double(now$at - ps$start_time),
	                      $workers=Cluster::get_active_node_count(Cluster::WORKER),
	                      $peers=peers,
	                      $received=now$received,
	                      $dropped=now$dropped,
	                      $link=now$link,
	                      $received_1m=since_sample(now$received, first$received),
	                      $dropped_1m=since_sample(now$dropped, first$dropped),
	                      $link_1m=since_sample(now$link, first$link),
	                      $bytes=now$bytes,
	                      $bytes_1m=since_sample(now$bytes, first$bytes),
	                      $window=interval_to_double(now$at - first$at),
	                      $memory=ps$mem);

	return to_json(status);
	}

type Happening: record {
	# From 1 on, over all that happened to this process: what is missing between two was not kept.
	number: count;
	# In seconds since 1970.
	at: double;
	# node_up, node_down, hello, warning or error.
	kind: string;
	text: string;
	# Where in the scripts, for warnings and errors.
	location: string;
};

type Events: record {
	node: string;
	pid: count;
	# The node's clock, in seconds since 1970.
	now: double;
	# The number of the last event.
	last: count;
	events: vector of Happening;
};

# What is remembered is bounded: in events, in the bytes of each, and in warnings and errors a second.
const max_events = 300;
const max_bytes = 500;
const max_reports = 20;

# By number modulo max_events.
global happenings: table[count] of Happening;
global happened: count = 0;
global report_second: double = 0.0;
global reports: count = 0;

function remember(kind: string, text: string, location: string)
	{
	happenings[happened % max_events] = Happening($number=happened,
	                                              $at=time_to_double(current_time()),
	                                              $kind=kind,
	                                              $text=sub_bytes(text, 1, max_bytes),
	                                              $location=sub_bytes(location, 1, max_bytes));
	}

function remember_report(kind: string, text: string, location: string)
	{
	++happened;
	local second = floor(time_to_double(current_time()));

	if ( second != report_second )
		{
		report_second = second;
		reports = 0;
		}

	++reports;

	if ( reports <= max_reports )
		remember(kind, text, location);
	}

# Before the framework's own handler: what it does not know yet comes up, which is an event of its own.
event Cluster::hello(name: string, id: string) &priority=11
	{
	if ( name in Cluster::nodes && ! Cluster::nodes[name]?$id )
		return;

	++happened;
	remember("hello", name, "");
	}

event Cluster::node_up(name: string, id: string)
	{
	++happened;
	remember("node_up", name, "");
	}

event Cluster::node_down(name: string, id: string)
	{
	++happened;
	remember("node_down", name, "");
	}

event reporter_warning(t: time, msg: string, location: string)
	{
	remember_report("warning", msg, location);
	}

event reporter_error(t: time, msg: string, location: string)
	{
	remember_report("error", msg, location);
	}

function events_json(pid: string, after: string): string
	{
	local number = happened;

	# Of another process, nothing is known yet.
	if ( pid == cat(getpid()) )
		number = to_count(after);
	else if ( pid != "" )
		number = 0;

	if ( number + max_events < happened )
		number = happened - max_events;

	local events: vector of Happening = vector();

	while ( number < happened )
		{
		++number;
		local place = number % max_events;

		if ( place in happenings && happenings[place]$number == number )
			events += happenings[place];
		}

	return to_json(Events($node=node,
	                      $pid=getpid(),
	                      $now=time_to_double(current_time()),
	                      $last=happened,
	                      $events=events));
	}
