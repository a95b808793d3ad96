-- The simulation that runs: what stands in for the clock, the network and the disk asks it.
return { world = nil }
