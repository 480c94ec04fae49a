from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0001_history'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='quarter', name='quarter_at'),
        migrations.RemoveField(model_name='quarter', name='at'),
        migrations.AddField(
            model_name='quarter', name='at', field=models.PositiveBigIntegerField(default=0), preserve_default=False
        ),
        migrations.AddConstraint(
            model_name='quarter',
            constraint=models.UniqueConstraint(fields=('canvas', 'at'), name='quarter_at'),
        ),
    ]
