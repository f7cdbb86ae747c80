TITLE Independent Poisson input onto one neuron

COMMENT
In each step of its window the number of spikes that arrive is drawn from a Poisson distribution, and that many times the
weight is added to what arrives at the neuron. Counts are drawn by inversion of one random number, in as many parts as
keep the mean of each below 16. The stream follows from three numbers (Random123), so it depends on nothing else.

The block runs before the neurons take their step, whatever the order of mechanisms.
ENDCOMMENT

NEURON {
    POINT_PROCESS glia__mc_neurons__poisson_input__0
    RANGE rate, weight, first, last
    RANGE mean, parts, nothing
    POINTER arrived
    RANDOM stream
}

PARAMETER {
    rate = 0 : spikes/s
    weight = 0 : in the unit of the neuron's weights
    first = 1 : step at whose beginning spikes arrive first
    last = 1e18 : and last
}

ASSIGNED {
    dt (ms)
    arrived : of the neuron
    mean : of the spikes in one part of a step
    parts
    nothing : probability of no spike in one part
}

INITIAL {
    mean = rate * dt / 1000
    parts = floor(mean / 16) + 1
    mean = mean / parts
    nothing = exp(-mean)
}

: All in this block: a procedure that it calls, NEURON 9 would give no data, since a pointer is used.
BEFORE BREAKPOINT {
    LOCAL step, part, number, u, p, sum, k
    : now is the middle of a step, or 0 while NEURON initialises
    step = floor(t / dt)
    if (step >= first && step <= last) {
        number = 0
        part = 0
        while (part < parts) {
            u = random_uniform(stream)
            p = nothing
            sum = p
            k = 0
            while (u > sum) {
                k = k + 1
                p = p * mean / k
                sum = sum + p
            }
            number = number + k
            part = part + 1
        }
        arrived = arrived + number * weight
    }
}
