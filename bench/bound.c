/* What a compiler makes of the same work in C: price and five Greeks by Black (1976), and sums of rows.
 *
 * The arithmetic is that of hedging/maths/fast: exp and log by polynomials, the normal tail by one rational
 * times the density. MILLS_TOP and MILLS_BOTTOM come from hedging/maths/coefficients.py by way of -D.
 * Straight-line code over restrict pointers, for gcc -O3 -march=native to vectorise.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

static const double top[] = {MILLS_TOP};
static const double bottom[] = {MILLS_BOTTOM};

static inline double from_bits(int64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
static inline int64_t to_bits(double x) { int64_t bits; memcpy(&bits, &x, 8); return bits; }

static inline double exp_(double x)
{
    x = x > -708.0 ? x : -708.0;
    double shifted = x * 1.4426950408889634074 + 6755399441055744.0;
    double n = shifted - 6755399441055744.0;
    double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    double p = 2.4994105190616254e-08;
    p = p * r + 2.7632290471575896e-07;
    p = p * r + 2.7557623119316796e-06;
    p = p * r + 2.4801486524871272e-05;
    p = p * r + 1.9841269432145916e-04;
    p = p * r + 1.3888888951220136e-03;
    p = p * r + 8.333333333559552e-03;
    p = p * r + 4.166666666649284e-02;
    p = p * r + 1.6666666666666166e-01;
    p = p * r + 0.5000000000000018;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return from_bits(to_bits(p) + (int64_t)((uint64_t)to_bits(shifted) << 52));
}

static inline double log_(double x, double excess)
{
    int64_t bits = to_bits(x);
    int64_t exponent = (bits - 0x3FE6A09E667F3BCDLL) >> 52;
    double m = from_bits(bits - (int64_t)((uint64_t)exponent << 52));
    double k = (double)exponent;
    double f = exponent == 0 ? excess : m - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double p = 0.14616867435802905;
    p = p * z + 0.15331684734753087;
    p = p * z + 0.18182890345394323;
    p = p * z + 0.22222211116015192;
    p = p * z + 0.28571428626111117;
    p = p * z + 0.399999999998991;
    p = p * z + 0.666666666666667;
    return k * 6.93147180369123816490e-01 + (f - (s * (f - z * p) - k * 1.90821492927058770002e-10));
}

static inline double mills_top(double x)
{
    double p = top[9];
    for (int i = 8; i >= 0; i--) p = p * x + top[i];
    return p;
}

static inline double mills_bottom(double x)
{
    double q = bottom[10];
    for (int i = 9; i >= 0; i--) q = q * x + bottom[i];
    return q;
}

void black_six(long n, const double *restrict f_, const double *restrict k_, const double *restrict t_,
               const double *restrict s_, const double *restrict d_, const double *restrict r_,
               double *restrict price_, double *restrict delta_, double *restrict gamma_,
               double *restrict vega_, double *restrict theta_, double *restrict rho_)
{
    for (long i = 0; i < n; i++) {
        double f = f_[i], k = k_[i], t = t_[i], sigma = s_[i], d = d_[i], phi = r_[i];
        double root = sqrt(t), spread = sigma * root;
        int alive = spread > 0.0;
        double inverse = 1.0 / (alive ? spread : 1e-300);
        double per_k = 1.0 / k, ratio = f * per_k;
        double h = log_(ratio, (f - k) * per_k) * inverse;
        double d1 = h + 0.5 * spread, d2 = h - 0.5 * spread;
        double a1 = fabs(d1), a2 = fabs(d2);
        a1 = a1 < 40.0 ? a1 : 40.0;
        a2 = a2 < 40.0 ? a2 : 40.0;
        double e = exp_(-0.5 * a1 * a1);
        double q1 = mills_bottom(a1), q2 = mills_bottom(a2);
        double inverse_q = 1.0 / (q1 * q2);
        double tail1 = e * mills_top(a1) * q2 * inverse_q;
        double tail2 = e * ratio * mills_top(a2) * q1 * inverse_q;
        double n1 = phi * d1 > 0.0 ? 1.0 - tail1 : tail1;
        double n2 = phi * d2 > 0.0 ? 1.0 - tail2 : tail2;
        double delta = d * phi * n1;
        double price = f * delta - d * phi * k * n2;
        price = price > 0.0 ? price : 0.0;
        double density = alive ? d * e * 0.39894228040143267794 : 0.0;
        double vega_base = f * density;
        double rate = t > 0.0 ? -log_(d, d - 1.0) / t : 0.0;
        int ok = (f > 0.0) & (k > 0.0) & (t >= 0.0) & (sigma >= 0.0) & (d > 0.0) & (fabs(phi) == 1.0);
        ok &= (f < INFINITY) & (k < INFINITY) & (t < INFINITY) & (sigma < INFINITY) & (d < INFINITY);
        double bad = ok ? 0.0 : NAN;
        price_[i] = price + bad;
        delta_[i] = delta + bad;
        gamma_[i] = density * inverse / f + bad;
        vega_[i] = vega_base * root + bad;
        theta_[i] = rate * price - 0.5 * vega_base * sigma * sigma * inverse + bad;
        rho_[i] = -t * price + bad;
    }
}

/* Rows of eight outputs a contract, summed over the legs of each owner. */
void sum_rows(long owners, const int32_t *restrict contract, const double *restrict size,
              const int64_t *restrict offsets, const double *restrict table, double *restrict out)
{
    for (long i = 0; i < owners; i++) {
        double total[8] = {0};
        for (int64_t j = offsets[i]; j < offsets[i + 1]; j++) {
            const double *row = table + 8 * (long)contract[j];
            for (int n = 0; n < 8; n++) total[n] += size[j] * row[n];
        }
        memcpy(out + 8 * i, total, sizeof total);
    }
}
