// Reductions along the rows of a contiguous (rows, columns) array: a team of threads (a warp, or a block: see
// team_merge) for each row, in 16-byte pieces at any alignment and length. A second pass over the row finds it in the
// cache.
#pragma once

#include "common/launch.cuh"

// The rows of this team: for (row = first_row(); row < rows; row += all_teams()). All threads of a team agree.
DEVICE long long first_row() { return static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y; }
DEVICE long long all_teams() { return static_cast<long long>(gridDim.x) * blockDim.y; }

// rule(position, x) on the elements of a row, by the whole team.
template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void walk_row(T* const (&column)[N], long long columns, Rule rule) {
    walk<READ, WRITE>(column, columns, threadIdx.x, blockDim.x, rule);
}
