
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import gallery.studio.models
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('canvas', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(default=django.utils.timezone.localdate)),
                ('kind', models.CharField(choices=[('gift', 'Gift'), ('cost', 'Cost')], default='gift', max_length=4)),
                ('amount', models.DecimalField(decimal_places=8, max_digits=18, validators=[django.core.validators.MinValueValidator(Decimal('1E-8'))])),
                ('currency', models.CharField(default='EUR', max_length=5, validators=[django.core.validators.RegexValidator('\\A[A-Z]{3,5}\\Z', 'Letters like EUR, USD or BTC.')])),
                ('worth', models.DecimalField(blank=True, decimal_places=2, help_text='Of a gift in another currency: what it was worth in the currency of the costs.', max_digits=18, null=True)),
                ('days', models.PositiveIntegerField(blank=True, help_text='Of a cost: how many days of the site it paid for.', null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('note', models.CharField(blank=True, help_text='Everybody can read it.', max_length=200)),
            ],
            options={
                'verbose_name': 'ledger entry',
                'verbose_name_plural': 'ledger',
                'ordering': ['-day', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Page',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='“about” is at /about/. Others may link to it: keep it.', max_length=40, unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=120)),
                ('template', models.CharField(choices=[('page', 'Page'), ('end', 'End: the film and the numbers above the text')], default='page', max_length=8)),
                ('body', models.TextField(blank=True, help_text='Markdown: ## heading, *emphasis*, [link](/history/), lists, tables, code.', verbose_name='text')),
                ('html', models.TextField(blank=True, editable=False)),
                ('footer_order', models.PositiveSmallIntegerField(default=0, help_text='Every page links to it, in this order; 0: no link.', verbose_name='order in the footer')),
                ('published', models.BooleanField(default=True, help_text='Otherwise only the staff can read it.')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ['footer_order', 'title'],
            },
        ),
        migrations.CreateModel(
            name='PendingDeletion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Track',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=120, verbose_name='title')),
                ('author', models.CharField(max_length=120, verbose_name='author')),
                ('licence', models.CharField(help_text='As CC BY 4.0; it must allow this use.', max_length=60, verbose_name='licence')),
                ('link', models.URLField(blank=True, help_text='Where the track and its terms are found.', verbose_name='link')),
                ('file', models.FileField(max_length=200, upload_to='tracks/', verbose_name='file')),
                ('seconds', models.FloatField(default=0.0, editable=False)),
                ('for_new', models.BooleanField(default=False, help_text='The newest such track is used.', verbose_name='under new films')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Exhibit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=120)),
                ('slug', models.SlugField(max_length=60, unique=True, verbose_name='address')),
                ('statement', models.TextField(blank=True, help_text='Markdown: what is shown, how it was made, whom to thank.')),
                ('statement_html', models.TextField(blank=True, editable=False)),
                ('published_at', models.DateTimeField(blank=True, help_text='UTC. Empty: a draft, which only the staff can see.', null=True, verbose_name='opens at')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('curator', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='exhibits', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': [models.OrderBy(models.F('published_at'), descending=True, nulls_first=True), '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Film',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('making', 'Being made'), ('ready', 'Ready'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('empty', 'Nothing to show')], default='waiting', editable=False, max_length=10)),
                ('holder', models.CharField(blank=True, editable=False, max_length=64)),
                ('edition', models.PositiveIntegerField(default=1, editable=False)),
                ('fraction', models.FloatField(default=0.0, editable=False)),
                ('expected_at', models.DateTimeField(editable=False, null=True)),
                ('message', models.CharField(blank=True, editable=False, max_length=300)),
                ('made_at', models.DateTimeField(editable=False, null=True)),
                ('kind', models.CharField(choices=[('hours', 'Some hours'), ('day', 'A day'), ('whole', 'The whole film'), ('part', 'A part')], default='whole', max_length=8)),
                ('starts_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(verbose_name='to')),
                ('title', models.CharField(blank=True, max_length=120, verbose_name='title')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('drawing', models.BooleanField(default=False, help_text='Shows how each drawing came about.', verbose_name='strokes')),
                ('lossless', models.BooleanField(default=False, help_text='Makes one more file, many times as large, to keep.', verbose_name='visually lossless')),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('frames', models.PositiveIntegerField(default=0, editable=False)),
                ('first_number', models.PositiveIntegerField(editable=False, null=True)),
                ('last_number', models.PositiveIntegerField(editable=False, null=True)),
                ('width', models.PositiveIntegerField(default=0, editable=False)),
                ('height', models.PositiveIntegerField(default=0, editable=False)),
                ('fps', models.PositiveSmallIntegerField(default=24, editable=False)),
                ('seconds', models.FloatField(default=0.0, editable=False)),
                ('licence', models.CharField(blank=True, editable=False, max_length=20)),
                ('credit', models.CharField(blank=True, editable=False, max_length=320)),
                ('credit_link', models.URLField(blank=True, editable=False)),
                ('chapters', models.JSONField(default=list, editable=False)),
                ('poster', models.FileField(blank=True, editable=False, max_length=200, upload_to='')),
                ('sprite', models.FileField(blank=True, editable=False, max_length=200, upload_to='')),
                ('tiles', models.JSONField(default=dict, editable=False)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='films', to='canvas.canvas')),
                ('requested_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('track', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='films', to='gallery.track')),
            ],
            options={
                'ordering': ['-starts_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Highlight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caption', models.CharField(blank=True, max_length=280)),
                ('chosen_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('chosen_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('frame', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='highlight', to='canvas.frame')),
            ],
        ),
        migrations.CreateModel(
            name='Original',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(default=gallery.studio.models.new_key, editable=False, max_length=20, unique=True)),
                ('picture', models.FileField(max_length=200, upload_to='')),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('complete', models.BooleanField(default=True)),
                ('keep', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('styles', models.JSONField(default=dict)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='studio_originals', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='QuarterHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.PositiveBigIntegerField()),
                ('frames', models.PositiveIntegerField()),
                ('strokes', models.PositiveIntegerField()),
                ('first', models.PositiveIntegerField(null=True)),
                ('last', models.PositiveIntegerField(null=True)),
                ('changes', models.PositiveIntegerField(default=0)),
                ('styles', models.JSONField(default=list)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quarter_hours', to='canvas.canvas')),
            ],
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('picture', models.FileField(editable=False, max_length=200, upload_to='')),
                ('width', models.PositiveIntegerField(editable=False)),
                ('height', models.PositiveIntegerField(editable=False)),
                ('size', models.PositiveBigIntegerField(editable=False, help_text="Bytes of the picture's file.")),
                ('sha256', models.CharField(editable=False, max_length=64)),
                ('title', models.CharField(blank=True, help_text='To find it again.', max_length=120)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'uploaded picture',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('before_drawing', models.BooleanField(default=False, help_text='The drawing that the frame after was dreamed of.', verbose_name='before: what was drawn')),
                ('caption', models.CharField(blank=True, max_length=300)),
                ('credit', models.CharField(blank=True, help_text='Who made it, where it is from, its licence.', max_length=200)),
                ('after_frame', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='canvas.frame')),
                ('before_frame', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='canvas.frame')),
                ('exhibit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='gallery.exhibit')),
                ('after_upload', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gallery.upload')),
                ('before_upload', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gallery.upload')),
            ],
            options={
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Work',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(default=gallery.studio.models.new_key, editable=False, max_length=20, unique=True)),
                ('kind', models.CharField(choices=[('sheet', 'Styles that suit the picture'), ('sketch', 'A style tried, small'), ('preview', 'A preview'), ('dream', 'A dream')], max_length=8)),
                ('network', models.CharField(max_length=64)),
                ('title', models.CharField(blank=True, max_length=120)),
                ('recipe', models.JSONField(default=dict)),
                ('units', models.FloatField(default=0.0)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Dreaming'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='waiting', max_length=9)),
                ('holder', models.CharField(blank=True, max_length=64)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('fraction', models.FloatField(default=0.0)),
                ('message', models.CharField(blank=True, max_length=300)),
                ('growing', models.BinaryField(null=True)),
                ('seconds', models.FloatField(default=0.0)),
                ('picture', models.FileField(blank=True, max_length=200, upload_to='')),
                ('thumbnail', models.FileField(blank=True, max_length=200, upload_to='')),
                ('gif', models.FileField(blank=True, max_length=200, upload_to='')),
                ('mp4', models.FileField(blank=True, max_length=200, upload_to='')),
                ('width', models.PositiveIntegerField(default=0)),
                ('height', models.PositiveIntegerField(default=0)),
                ('caption', models.CharField(blank=True, max_length=120)),
                ('licence', models.CharField(blank=True, max_length=40)),
                ('show_before', models.BooleanField(default=False)),
                ('asked_at', models.DateTimeField(null=True)),
                ('published_at', models.DateTimeField(null=True)),
                ('hidden_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('frame', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='canvas.frame')),
                ('original', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='works', to='gallery.original')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='studio_works', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Download',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('making', 'Being made'), ('ready', 'Ready'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('empty', 'Nothing to show')], default='waiting', editable=False, max_length=10)),
                ('holder', models.CharField(blank=True, editable=False, max_length=64)),
                ('edition', models.PositiveIntegerField(default=1, editable=False)),
                ('fraction', models.FloatField(default=0.0, editable=False)),
                ('expected_at', models.DateTimeField(editable=False, null=True)),
                ('message', models.CharField(blank=True, editable=False, max_length=300)),
                ('made_at', models.DateTimeField(editable=False, null=True)),
                ('day', models.DateField()),
                ('kind', models.CharField(choices=[('frames', 'All frames'), ('strokes', 'All strokes')], max_length=8)),
                ('file', models.FileField(blank=True, editable=False, max_length=200, upload_to='')),
                ('size', models.PositiveBigIntegerField(default=0, editable=False)),
                ('sha256', models.CharField(blank=True, editable=False, max_length=64)),
                ('count', models.PositiveIntegerField(default=0, editable=False)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downloads', to='canvas.canvas')),
            ],
            options={
                'ordering': ['-day', 'kind'],
                'constraints': [models.UniqueConstraint(fields=('canvas', 'day', 'kind'), name='download_once')],
            },
        ),
        migrations.CreateModel(
            name='FilmFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('codec', models.CharField(choices=[('av1', 'AV1'), ('h264', 'H.264'), ('lossless', 'H.264, visually lossless')], max_length=10)),
                ('file', models.FileField(max_length=200, upload_to='')),
                ('codecs', models.CharField(max_length=60)),
                ('size', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('film', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='gallery.film')),
            ],
            options={
                'ordering': ['codec'],
                'constraints': [models.UniqueConstraint(fields=('film', 'codec'), name='film_codec')],
            },
        ),
        migrations.AddIndex(
            model_name='original',
            index=models.Index(fields=['owner', '-created_at'], name='gallery_ori_owner_i_bd68c0_idx'),
        ),
        migrations.AddIndex(
            model_name='original',
            index=models.Index(fields=['keep', 'created_at'], name='gallery_ori_keep_1288f9_idx'),
        ),
        migrations.AddConstraint(
            model_name='quarterhour',
            constraint=models.UniqueConstraint(fields=('canvas', 'at'), name='quarter_hour_at'),
        ),
        migrations.AddIndex(
            model_name='film',
            index=models.Index(fields=['state', 'canvas', 'starts_at'], name='film_list'),
        ),
        migrations.AddConstraint(
            model_name='film',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['hours', 'day'])), fields=('canvas', 'kind', 'starts_at'), name='film_once'),
        ),
        migrations.AddConstraint(
            model_name='film',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='film_lasts'),
        ),
        migrations.AddIndex(
            model_name='work',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['state'], name='studio_open'),
        ),
        migrations.AddIndex(
            model_name='work',
            index=models.Index(fields=['owner', 'kind', '-created_at'], name='studio_mine'),
        ),
        migrations.AddIndex(
            model_name='work',
            index=models.Index(condition=models.Q(('published_at__isnull', False)), fields=['published_at'], name='studio_public'),
        ),
    ]
