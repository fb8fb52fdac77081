##! Numbered records of each worker, for the lab's tests of logs: as many, and as many a second, as `numbered.conf` in its
##! working folder says.

module Numbered;

export {
	redef enum Log::ID += { LOG };

	type Info: record {
		ts: time &log;
		worker: string &log;
		process: count &log;
		number: count &log;
	};
}

type What: record {
	what: string;
};

type Amount: record {
	value: count;
};

global settings: table[string] of count = table();
global process = 0;
global number = 0;

event Numbered::tick()
	{
	local total = "total" in settings ? settings["total"] : 0;
	local left = "rate" in settings ? settings["rate"] / 10 : 0;

	while ( left > 0 && number < total )
		{
		++number;
		--left;
		Log::write(Numbered::LOG, [$ts=network_time(), $worker=Cluster::node, $process=process, $number=number]);
		}

	schedule 100msec { Numbered::tick() };
	}

event zeek_init()
	{
	Log::create_stream(Numbered::LOG, [$columns=Info, $path="sim"]);

	if ( Cluster::local_node_type() != Cluster::WORKER )
		return;

	process = double_to_count(time_to_double(current_time()) * 1000.0);
	Input::add_table([$source="numbered.conf", $name="numbered", $idx=What, $val=Amount, $want_record=F,
	    $destination=settings, $mode=Input::REREAD]);
	schedule 1sec { Numbered::tick() };
	}
