// BASIN_BOTH marks a function that host code and CUDA kernels share. The only macro of the library.
#pragma once

#ifdef __CUDACC__
#define BASIN_BOTH __host__ __device__
#else
#define BASIN_BOTH
#endif
