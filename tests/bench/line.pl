#!/usr/bin/perl
# A line between an SSH client and a server on this machine: counts the bytes of each direction and holds them back.
# Arguments: the port to listen on, the port to connect to, a folder. It has `counts` (bytes there and back, so far),
# replaced after each change, and `delay` (seconds in each direction).
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

my ($from, $to, $folder) = @ARGV;
my @sent = (0, 0);
my %peer;         # socket -> the socket on the other side
my %direction;    # socket -> 0 for what comes from the client, 1 for what comes from the server
my @queue;        # [due, socket to write to, data; undef for the end]

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $from, Listen => 16, ReuseAddr => 1)
  or die "can't listen on port $from: $@\n";
my $select = IO::Select->new($listener);
$SIG{PIPE} = 'IGNORE';

sub delay {
    open my $file, '<', "$folder/delay" or return 0;
    return 0 + (<$file> // 0);
}

sub counts {
    open my $file, '>', "$folder/counts.new" or die "can't write in $folder: $!\n";
    print $file "@sent\n";
    close $file;
    rename "$folder/counts.new", "$folder/counts";
}

counts();
while (1) {
    my $wait = @queue ? $queue[0][0] - time : undef;
    $wait = 0 if defined $wait && $wait < 0;
    for my $socket ($select->can_read($wait)) {
        if ($socket == $listener) {
            my $client = $listener->accept or next;
            my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to) or next;
            # Else the kernel would hold back small packets, and a round trip would take longer than the line does.
            setsockopt $_, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1 for $client, $server;
            @peer{$client, $server}      = ($server, $client);
            @direction{$client, $server} = (0, 1);
            $select->add($client, $server);
            next;
        }
        my $read = sysread $socket, my $data, 65536;
        if ($read) {
            $sent[$direction{$socket}] += $read;
            counts();
        } else {
            $select->remove($socket);
            undef $data;
        }
        push @queue, [time + delay(), $peer{$socket}, $data];
    }
    # The delay changes only while the line is quiet, so what is due first stands first.
    while (@queue && $queue[0][0] <= time) {
        my (undef, $socket, $data) = @{shift @queue};
        if (!defined $data) {
            shutdown $socket, 1;
            next;
        }
        while (length $data) {
            my $written = syswrite $socket, $data or last;
            substr $data, 0, $written, '';
        }
    }
}
